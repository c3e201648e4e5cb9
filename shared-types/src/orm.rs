//! The ORM's conversions: an id is a `BIGINT`, a status is a `TEXT` that a CHECK constraint restricts to the same
//! words.

use std::io::Write;

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Text};

use crate::app_server::{ActivationKind, AppServerStatus, BuildStepKind};
use crate::audit::{Actor, Outcome};
use crate::backup::{BackupReason, BackupState, BackupWork};
use crate::certificate::{CertificateSource, CertificateState};
use crate::dns::NameState;
use crate::event::EventKind;
use crate::health::HealthState;
use crate::https::HttpsPolicy;
use crate::ids::{
    ActivationId, ActivityId, AppServerId, BackupId, CertificateId, EventId, InstanceId, LogEntryId, PreviewLinkId,
    PullRequestId, ResourceId, ServerId, SessionId, SourceCredentialId, SshKeyId, TokenId, UserId,
};
use crate::launch::Trigger;
use crate::log_entry::LogLevel;
use crate::machine::MachineRole;
use crate::migration::MigrationState;
use crate::pull_request::{Decision, Owed, PullRequestState};
use crate::queue::Tier;
use crate::resource::{ResourceClass, ResourceKind, ResourcePart, ResourceServerName, ResourceState};
use crate::retention::OrphanKind;
use crate::server::{ProviderName, ServerStatus};
use crate::ssh_access::AccessOrigin;
use crate::user::{Role, Scope};

macro_rules! bigint {
    ($($name:ident),*) => {$(
        impl FromSql<BigInt, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                <i64 as FromSql<BigInt, Pg>>::from_sql(bytes).map(Self)
            }
        }

        impl ToSql<BigInt, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <i64 as ToSql<BigInt, Pg>>::to_sql(&self.0, out)
            }
        }
    )*};
}

macro_rules! text {
    ($($name:ident),*) => {$(
        impl FromSql<Text, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                let word = std::str::from_utf8(bytes.as_bytes())?;
                Self::ALL
                    .iter()
                    .copied()
                    .find(|one| one.as_str() == word)
                    .ok_or_else(|| format!("«{word}» is no {}", stringify!($name)).into())
            }
        }

        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
            }
        }
    )*};
}

bigint!(
    InstanceId,
    SourceCredentialId,
    SshKeyId,
    AppServerId,
    ServerId,
    LogEntryId,
    EventId,
    UserId,
    TokenId,
    ActivationId,
    SessionId,
    ActivityId,
    PullRequestId,
    ResourceId,
    BackupId,
    CertificateId,
    PreviewLinkId
);
text!(
    AppServerStatus,
    BuildStepKind,
    ServerStatus,
    LogLevel,
    MachineRole,
    AccessOrigin,
    EventKind,
    HealthState,
    NameState,
    Role,
    Trigger,
    Tier,
    HttpsPolicy,
    OrphanKind,
    ResourceClass,
    ResourceKind,
    ResourcePart,
    ResourceState,
    BackupReason,
    BackupState,
    BackupWork,
    CertificateSource,
    CertificateState,
    MigrationState,
    ActivationKind,
    Outcome,
    Scope,
    PullRequestState,
    Decision,
    Owed
);

macro_rules! name {
    ($($name:ident),*) => {$(
        impl FromSql<Text, Pg> for $name {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                <String as FromSql<Text, Pg>>::from_sql(bytes).map(Self)
            }
        }

        impl ToSql<Text, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                <str as ToSql<Text, Pg>>::to_sql(self.as_str(), out)
            }
        }
    )*};
}
name!(ProviderName, ResourceServerName);

impl FromSql<Text, Pg> for Actor {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Pg>>::from_sql(bytes).map(Self::Earlier)
    }
}

impl ToSql<Text, Pg> for Actor {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        write!(out, "{self}")?;
        Ok(IsNull::No)
    }
}
