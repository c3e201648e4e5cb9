//! Typed identifiers: an app server's id cannot be passed where an instance's is wanted.

use serde::{Deserialize, Serialize};

/// Defines a positive 64-bit integer id, given out by the database and never used twice.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
        )]
        #[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
        #[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::BigInt))]
        #[serde(try_from = "i64")]
        #[schema(value_type = i64, minimum = 1, example = 1)]
        pub struct $name(pub i64);

        impl TryFrom<i64> for $name {
            type Error = &'static str;

            fn try_from(id: i64) -> Result<Self, Self::Error> {
                if id > 0 { Ok(Self(id)) } else { Err("an id is 1 or more") }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

id! {
    /// An instance, which is long-lived.
    InstanceId,
    /// An app server: one build of an instance.
    AppServerId,
    /// The machine an app server owns.
    ServerId,
    /// One line of a log.
    LogEntryId,
    /// An event: a stored change of a resource.
    EventId,
    /// A person who signs in.
    UserId,
    /// An API token of a user.
    TokenId,
    /// One switch of an instance's traffic.
    ActivationId,
    /// A browser that is signed in.
    SessionId,
    /// A deploy key or token of private repositories.
    SourceCredentialId,
    /// A public SSH key of a user.
    SshKeyId,
    /// A pull request that is watched.
    PullRequestId,
    /// One entry of the audit trail.
    ActivityId,
    /// An account or a database that an instance has outside its machines.
    ResourceId,
    /// A backup of what an instance has outside its machines.
    BackupId,
    /// A certificate for a set of host names.
    CertificateId,
    /// A link that shows an app server that is not active.
    PreviewLinkId,
}
