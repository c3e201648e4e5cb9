//! Certificates of the instances' host names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{CertificateId, InstanceId};

/// How far a certificate has come. One that is renewed or failing is served until it expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// None was ordered yet.
    Wanted,
    /// An order at the authority is under way, for the first certificate or for the next one.
    Ordering,
    /// It is there, and nothing is due.
    Valid,
    /// The last attempt to get it or its successor failed; it is repeated.
    Failing,
}

impl CertificateState {
    /// Every state, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Wanted, Self::Ordering, Self::Valid, Self::Failing];

    /// The word in JSON, in the database and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Ordering => "ordering",
            Self::Valid => "valid",
            Self::Failing => "failing",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wanted => "Wanted",
            Self::Ordering => "Ordering",
            Self::Valid => "Valid",
            Self::Failing => "Failing",
        }
    }
}

/// Where a certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum CertificateSource {
    /// It is ordered from a certificate authority by ACME.
    Acme,
    /// It is read from a directory of files.
    Files,
}

impl CertificateSource {
    /// Both sources.
    pub const ALL: &[Self] = &[Self::Acme, Self::Files];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acme => "acme",
            Self::Files => "files",
        }
    }
}

/// The certificate of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceCertificate {
    /// The certificate; null: there is none.
    pub certificate: Option<Certificate>,
    /// Why there is none; null: there is one.
    #[schema(example = "The settings name no source of certificates (OCIM_CERTIFICATES).")]
    pub why_none: Option<String>,
    /// Whether its renewal can be asked for.
    pub can_renew: bool,
}

/// A certificate for a set of host names; its key is not part of any answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Certificate {
    /// The id; it is never used again.
    pub id: CertificateId,
    /// The instance whose host names these are. Null: no instance has exactly these names now, or it is from a file.
    pub instance_id: Option<InstanceId>,
    /// Where it comes from.
    pub source: CertificateSource,
    /// Its host names, sorted.
    #[schema(example = json!(["demo.example.org", "files.demo.example.org"]))]
    pub names: Vec<String>,
    /// How far it has come.
    pub state: CertificateState,
    /// The state's name for people.
    #[schema(example = "Valid")]
    pub state_name: String,
    /// The directory of the authority, or the file, that it is from; null: there is no certificate yet.
    #[schema(example = "https://acme-v02.api.letsencrypt.org/directory")]
    pub origin: Option<String>,
    /// When it becomes valid; null: there is no certificate yet.
    pub not_before: Option<DateTime<Utc>>,
    /// When it expires; null: there is no certificate yet.
    pub not_after: Option<DateTime<Utc>>,
    /// When the next one is ordered; null: it is not known yet, or it is from a file.
    pub renew_at: Option<DateTime<Utc>>,
    /// When the next step is due.
    pub next_attempt_at: DateTime<Utc>,
    /// How many attempts in a row have failed.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// Why the last attempt failed, or what is waited for; null: neither.
    #[schema(example = "waiting until Tuesday 14:00 UTC: 50 of 50 certificates for example.org this week")]
    pub trouble: Option<String>,
    /// When the first of the failures in a row was; null: the last attempt did not fail.
    pub failing_since: Option<DateTime<Utc>>,
    /// When these names first wanted a certificate.
    pub created: DateTime<Utc>,
    /// When the state last changed.
    pub modified: DateTime<Utc>,
}
