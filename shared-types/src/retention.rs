//! Machines that will be deleted, and where provider and database differ about machines.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, InstanceId, ServerId};
use crate::server::ProviderName;

/// An app server that is no longer needed, and when its machine is deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Expiring {
    /// The app server that is no longer needed.
    pub app_server_id: AppServerId,
    /// The app server's name.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// The instance that it belongs to.
    pub instance_id: InstanceId,
    /// The name of the instance.
    pub instance_name: String,
    /// Its machine.
    pub server_id: ServerId,
    /// The name of its machine.
    #[schema(example = "demo-2")]
    pub server_name: String,
    /// The name of the provider of its machine.
    #[schema(example = "local")]
    pub provider: String,
    /// The IP address of its machine; null before it has one.
    #[schema(example = "10.213.0.2")]
    pub public_ip: Option<String>,
    /// Since when it is neither active, fallback, newest candidate nor pinned.
    pub unneeded_since: DateTime<Utc>,
    /// When its machine is deleted, unless it is needed or pinned again before.
    pub terminates_at: DateTime<Utc>,
}

/// How provider and database differ about a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum OrphanKind {
    /// The provider has a machine that carries our id, and no app server owns it.
    Unowned,
    /// An app server owns a machine that the provider does not have.
    Missing,
}

impl OrphanKind {
    /// Both kinds, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Unowned, Self::Missing];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unowned => "unowned",
            Self::Missing => "missing",
        }
    }
}

/// A difference between provider and database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Orphan {
    /// The kind of the difference.
    pub kind: OrphanKind,
    /// The name of the provider that was compared.
    #[schema(value_type = String, example = "local")]
    pub provider: ProviderName,
    /// The provider's id of the machine.
    pub provider_id: String,
    /// The server's id in the machine's metadata; the database may no longer have such a server.
    pub server_id: ServerId,
    /// The app server that owns, or owned, the machine.
    pub app_server_id: Option<AppServerId>,
    /// The instance of that app server.
    pub instance_id: Option<InstanceId>,
    /// When it was first found.
    pub first_seen: DateTime<Utc>,
    /// When it was last found.
    pub last_seen: DateTime<Utc>,
    /// From when on `action` is taken.
    pub due_at: DateTime<Utc>,
    /// What is done then: the machine is deleted, or the server is written off.
    #[schema(example = "the machine will be deleted")]
    pub action: String,
}

/// The differences between provider and database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Orphans {
    /// The differences, the oldest first.
    pub items: Vec<Orphan>,
    /// When provider and database were last compared; null: not yet.
    pub compared_at: Option<DateTime<Utc>>,
    /// What was unusual about the last comparison, and what is not done because of it; null if nothing was.
    #[schema(example = "the provider does not answer (timeout): nothing is done")]
    pub note: Option<String>,
    /// What this request did; empty in a dry run.
    pub done: Vec<String>,
}
