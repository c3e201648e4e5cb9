//! Machines as lists show them: with their owners, and what each is needed for.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::AppServerStatus;
use crate::ids::InstanceId;
use crate::server::{Server, ServerStatus};

/// What a machine is needed for. Of several, the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum MachineRole {
    /// It was deleted, or its build ended before it was requested.
    Ended,
    /// Its deletion was requested and has not ended yet.
    Ending,
    /// Its app server is being built.
    Building,
    /// Its app server has the traffic of the instance.
    Active,
    /// Its app server is the one that a rollback goes back to.
    Fallback,
    /// Its app server is the newest one that runs, newer than the active one.
    Newest,
    /// A user has pinned its app server.
    Pinned,
    /// Its app server was replaced, and open requests or hooks have not ended yet.
    Draining,
    /// Nothing needs it: it is deleted when its retention ends.
    Unneeded,
}

impl MachineRole {
    /// Every role, in the order of precedence.
    pub const ALL: &[Self] = &[
        Self::Ended,
        Self::Ending,
        Self::Building,
        Self::Active,
        Self::Fallback,
        Self::Newest,
        Self::Pinned,
        Self::Draining,
        Self::Unneeded,
    ];

    /// The word in JSON and in queries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Ending => "ending",
            Self::Building => "building",
            Self::Active => "active",
            Self::Fallback => "fallback",
            Self::Newest => "newest",
            Self::Pinned => "pinned",
            Self::Draining => "draining",
            Self::Unneeded => "unneeded",
        }
    }

    /// The role explained in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Ended => "Deleted, or never created",
            Self::Ending => "Its deletion was requested and has not ended yet",
            Self::Building => "Its app server is being built",
            Self::Active => "Its app server serves the visitors of the instance",
            Self::Fallback => "A rollback goes back to its app server",
            Self::Newest => "Its app server is the newest and can be activated next",
            Self::Pinned => "Kept until its app server is unpinned or terminated",
            Self::Draining => "Its app server was replaced; open requests or hooks have not ended yet",
            Self::Unneeded => "Its app server is neither active, fallback, newest nor pinned",
        }
    }
}

/// A machine with its app server and instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerDetail {
    /// The machine itself.
    #[serde(flatten)]
    pub server: Server,
    /// The name of the app server that owns it.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// The status of that app server.
    pub app_server_status: AppServerStatus,
    /// The instance of that app server.
    pub instance_id: InstanceId,
    /// The name of the instance.
    #[schema(example = "Astronomy Academy")]
    pub instance_name: String,
    /// What it is needed for.
    pub role: MachineRole,
    /// The role explained in a sentence.
    #[schema(example = "A rollback goes back to its app server")]
    pub role_description: String,
    /// Whether its app server is pinned. An active one can be pinned, too.
    pub is_pinned: bool,
    /// Since when nothing needs it; null: it is needed, or that was not noticed yet.
    pub unneeded_since: Option<DateTime<Utc>>,
    /// When it is deleted, unless it is needed or pinned before; null: no end is set.
    pub ends_at: Option<DateTime<Utc>>,
    /// When its deletion was requested; null: it was not.
    pub termination_requested_at: Option<DateTime<Utc>>,
    /// The user or the rule that requested its deletion; null: it was not requested, or the machine is gone.
    #[schema(example = "retention")]
    pub termination_requested_by: Option<String>,
    /// Since when the provider does not list it although it should exist; null: it was there when last compared.
    pub missing_since: Option<DateTime<Utc>>,
}

/// How many machines exist, or are being made, of each provider and status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerCounts {
    /// A count for each provider and status that has machines, by provider.
    pub items: Vec<ServerCount>,
}

/// How many machines of a provider have a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServerCount {
    /// The name of the provider.
    #[schema(example = "local")]
    pub provider: String,
    /// The status.
    pub status: ServerStatus,
    /// The number of machines.
    #[schema(example = 12)]
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_written_as_its_word() {
        for role in MachineRole::ALL {
            assert_eq!(serde_json::to_value(role).ok(), Some(role.as_str().into()));
        }
    }
}
