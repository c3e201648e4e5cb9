//! A line of a log.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, InstanceId, LogEntryId, ServerId};

/// The severity of a line, the lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    /// Details for debugging; such lines are not stored.
    Debug,
    /// The normal course of an operation.
    Info,
    /// A possible problem, worth a look.
    Warning,
    /// An operation or a part of it failed.
    Error,
    /// A failure that a person must act on.
    Critical,
}

impl LogLevel {
    /// Every level, the lowest first.
    pub const ALL: &[Self] = &[Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// This level and those above it.
    pub fn and_above(self) -> &'static [Self] {
        match self {
            Self::Debug => Self::ALL,
            Self::Info => &[Self::Info, Self::Warning, Self::Error, Self::Critical],
            Self::Warning => &[Self::Warning, Self::Error, Self::Critical],
            Self::Error => &[Self::Error, Self::Critical],
            Self::Critical => &[Self::Critical],
        }
    }
}

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogEntry {
    /// The id, unique over all logs.
    pub id: LogEntryId,
    /// 1, 2, 3, … without a gap within an app server's log; null in other logs.
    #[schema(minimum = 1)]
    pub seq: Option<i64>,
    /// The time of the line.
    pub created: DateTime<Utc>,
    /// The severity of the line.
    pub level: LogLevel,
    /// The line; it may hold line breaks and ANSI colours.
    pub text: String,
    /// The Ansible task it came from; null for other lines.
    pub task: Option<String>,
    /// The instance it is about.
    pub instance_id: Option<InstanceId>,
    /// The app server it is about.
    pub app_server_id: Option<AppServerId>,
    /// The machine it is about.
    pub server_id: Option<ServerId>,
}

/// The entries of a log that match a text or a level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogMatches {
    /// How many entries match, including those that `places` leaves out.
    #[schema(minimum = 0)]
    pub count: i64,
    /// The `seq` of each, ascending; in an instance's own log, which has no `seq`, the `id`. At most the last 10,000:
    /// earlier ones are counted but left out.
    #[schema(max_items = 10_000, example = json!([12, 40, 41]))]
    pub places: Vec<i64>,
}

impl LogMatches {
    /// The most places that an answer has.
    pub const MAX_PLACES: i64 = 10_000;
}
