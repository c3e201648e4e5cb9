//! What is kept, what ends when, and where provider and database differ.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, InstanceId, ServerId};

/// An app server that is not needed any more, and when its machine is taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Expiring {
    /// Which app server.
    pub app_server_id: AppServerId,
    /// Its name.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// Of which instance.
    pub instance_id: InstanceId,
    /// The instance's name.
    pub instance_name: String,
    /// Since when it is neither active, fallback, newest candidate nor pinned.
    pub unneeded_since: DateTime<Utc>,
    /// When its machine is taken away, unless it is needed or pinned again before.
    pub terminates_at: DateTime<Utc>,
}

/// How provider and database differ.
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
    /// Every kind.
    pub const ALL: &[Self] = &[Self::Unowned, Self::Missing];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unowned => "unowned",
            Self::Missing => "missing",
        }
    }
}

/// A difference that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Orphan {
    /// Which way.
    pub kind: OrphanKind,
    /// The provider.
    #[schema(example = "local")]
    pub provider: String,
    /// What the provider calls the machine.
    pub provider_id: String,
    /// The id in the machine's metadata; there need not be such a server any more.
    pub server_id: ServerId,
    /// The app server it belongs, or belonged, to.
    pub app_server_id: Option<AppServerId>,
    /// When it was first found.
    pub first_seen: DateTime<Utc>,
    /// When it was last found.
    pub last_seen: DateTime<Utc>,
    /// From when on something is done about it.
    pub due_at: DateTime<Utc>,
    /// What is done then: the machine is taken away, or the server is written off.
    #[schema(example = "the machine is taken away")]
    pub action: String,
}

/// The differences between provider and database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Orphans {
    /// Each one, the oldest first.
    pub items: Vec<Orphan>,
    /// When provider and database were last compared; null: not yet.
    pub compared_at: Option<DateTime<Utc>>,
    /// What was odd about the last attempt, and what is therefore not done; null: nothing.
    #[schema(example = "the provider does not answer (timeout): nothing is done")]
    pub note: Option<String>,
    /// What was done by this request; empty in a dry run.
    pub done: Vec<String>,
}
