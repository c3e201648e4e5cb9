//! Whether the sites of an instance work, as last checked.
//!
//! The server computes this from the checks of the active app server; everyone else only shows it. A build's own status
//! ([`crate::AppServerStatus::is_healthy`]) says nothing about it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of an instance's sites, the least urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Every site answers as it should.
    Ok,
    /// No check within three intervals, or the check could not be made (gateway, worker or database not available).
    Unknown,
    /// The main site answers; at least one other site fails.
    Degraded,
    /// The main site fails, or the machine is gone.
    Down,
}

impl HealthState {
    /// Every state, the least urgent first.
    pub const ALL: &[Self] = &[Self::Ok, Self::Unknown, Self::Degraded, Self::Down];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// The health of an instance's sites, from the checks of its active app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceHealth {
    /// The state of all sites together.
    pub state: HealthState,
    /// The names of the sites that fail, in the application's order; empty unless `degraded` or `down`.
    #[schema(example = json!(["school"]))]
    pub failing: Vec<String>,
    /// When this state began.
    pub since: DateTime<Utc>,
    /// When the sites were last checked; null before the first check.
    pub checked_at: Option<DateTime<Utc>>,
}
