//! What changed. Events are hints: whoever misses one fetches the truth.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, EventId, InstanceId, ServerId};

/// What happened, in the past tense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
pub enum EventKind {
    /// An instance came into being.
    InstanceCreated,
    /// An instance's settings changed.
    InstanceUpdated,
    /// An app server was launched.
    AppServerLaunched,
    /// The status, step or progress of an app server changed.
    AppServerUpdated,
    /// Somebody asked to stop a build.
    AppServerStopRequested,
    /// The traffic of an instance was given to an app server.
    AppServerActivated,
    /// The gateway has what was decided.
    RoutingApplied,
    /// A machine changed.
    ServerUpdated,
    /// The checks of an app server were made.
    ChecksMade,
    /// The health of an instance became another.
    HealthChanged,
    /// The queue was paused or goes on, or a worker came or went.
    QueueChanged,
    /// A pull request changed, or what was made of it.
    PullRequestUpdated,
    /// A log grew. Not kept: it has no id, and what the log holds is the truth.
    LogAppended,
}

impl EventKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::InstanceCreated,
        Self::InstanceUpdated,
        Self::AppServerLaunched,
        Self::AppServerUpdated,
        Self::AppServerStopRequested,
        Self::AppServerActivated,
        Self::RoutingApplied,
        Self::ServerUpdated,
        Self::ChecksMade,
        Self::HealthChanged,
        Self::QueueChanged,
        Self::PullRequestUpdated,
        Self::LogAppended,
    ];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InstanceCreated => "InstanceCreated",
            Self::InstanceUpdated => "InstanceUpdated",
            Self::AppServerLaunched => "AppServerLaunched",
            Self::AppServerUpdated => "AppServerUpdated",
            Self::AppServerStopRequested => "AppServerStopRequested",
            Self::AppServerActivated => "AppServerActivated",
            Self::RoutingApplied => "RoutingApplied",
            Self::ServerUpdated => "ServerUpdated",
            Self::ChecksMade => "ChecksMade",
            Self::HealthChanged => "HealthChanged",
            Self::QueueChanged => "QueueChanged",
            Self::PullRequestUpdated => "PullRequestUpdated",
            Self::LogAppended => "LogAppended",
        }
    }
}

/// Something that changed, with the ids of what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place in the order of events; null for kinds that are not kept.
    pub id: Option<EventId>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When.
    pub created: DateTime<Utc>,
    /// The instance it is about.
    pub instance_id: Option<InstanceId>,
    /// The app server it is about.
    pub app_server_id: Option<AppServerId>,
    /// The machine it is about.
    pub server_id: Option<ServerId>,
    /// For `LogAppended`: the highest `seq` of the app server's log.
    pub last_seq: Option<i64>,
}
