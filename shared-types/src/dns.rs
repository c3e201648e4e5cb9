//! Names of instances in the DNS: the records that they need, and what the authoritative servers say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of a record that points a name at the gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordKind {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name, which has the addresses.
    Cname,
}

impl RecordKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &[Self] = &[Self::A, Self::Aaaa, Self::Cname];

    /// The word in the DNS and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
        }
    }
}

/// A record that a name needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct DnsRecord {
    /// Its type.
    pub kind: RecordKind,
    /// An address, or a host name without a dot at the end.
    #[schema(example = "192.0.2.10")]
    pub value: String,
}

/// What an authoritative server says about a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorityState {
    /// The name points at the gateways, and nowhere else.
    Right,
    /// It points at some of the gateways, and nowhere else.
    Partial,
    /// It points elsewhere, perhaps besides the gateways.
    Elsewhere,
    /// There is no address for it.
    Absent,
    /// The server answers, but not for this zone.
    NotServing,
    /// The server did not answer in time, or its address is not known.
    Silent,
}

/// The answer of one authoritative server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuthorityAnswer {
    /// The server's name.
    #[schema(example = "ns1.example.org")]
    pub server: String,
    /// The address that was asked; null: none is known.
    pub address: Option<String>,
    /// What it says.
    pub state: AuthorityState,
    /// The same in words, with the remedy where there is one.
    pub words: String,
    /// The addresses, and the name that it is an alias of.
    pub found: Vec<DnsRecord>,
    /// The serial number of its copy of the zone; null: it told none.
    pub serial: Option<u32>,
}

/// Whether a name points at the gateways, by all authoritative servers together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum NameState {
    /// It was not checked yet.
    Unchecked,
    /// Every server says so.
    Right,
    /// Some servers say so, others do not yet: visitors may meet either.
    Late,
    /// It points elsewhere, or at some of the gateways only.
    Elsewhere,
    /// It has no address.
    Absent,
    /// The servers cannot be found or do not answer.
    Unknown,
}

impl NameState {
    /// Every state, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Unchecked, Self::Right, Self::Late, Self::Elsewhere, Self::Absent, Self::Unknown];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::Right => "right",
            Self::Late => "late",
            Self::Elsewhere => "elsewhere",
            Self::Absent => "absent",
            Self::Unknown => "unknown",
        }
    }
}

/// A host name of an instance in the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceName {
    /// The host name.
    #[schema(example = "campus.example.org")]
    pub name: String,
    /// Whether the instance has it; if not, its records are being removed.
    pub is_wanted: bool,
    /// Whether ocim writes its records: they are in the zones of the settings, and were not right without.
    pub is_written: bool,
    /// Whether it points at the gateways.
    pub state: NameState,
    /// The same in words, with what to do.
    pub words: String,
    /// The zone, by the last check; null: it was not found.
    pub zone: Option<String>,
    /// Why its records could not be written or removed at the last attempt, in words; null: they could, or none was necessary.
    pub last_error: Option<String>,
    /// What each authoritative server said.
    pub servers: Vec<AuthorityAnswer>,
    /// When they were asked; null: never.
    pub checked_at: Option<DateTime<Utc>>,
}

/// The names of an instance in the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceDns {
    /// Who writes the records: `gandi`, `rfc2136`, or `none`: an operator.
    #[schema(example = "rfc2136")]
    pub provider: String,
    /// The records that each name needs, as each of them is an alias or has the addresses of the gateways. Empty: the settings do
    /// not say where names point.
    pub records: Vec<DnsRecord>,
    /// What there is to do, in a sentence; null: nothing.
    pub advice: Option<String>,
    /// The names, in alphabetical order.
    pub names: Vec<InstanceName>,
}
