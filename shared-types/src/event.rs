//! What changed. Events are hints: a reader that missed some fetches the current state.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, EventId, InstanceId, ServerId};

/// What changed, in the past tense.
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
    /// A stop of a build was requested.
    AppServerStopRequested,
    /// The traffic of an instance was switched to an app server.
    AppServerActivated,
    /// The gateway has applied a decided switch.
    RoutingApplied,
    /// The status of a machine changed.
    ServerUpdated,
    /// The checks of an app server were made.
    ChecksMade,
    /// The health of an instance became another.
    HealthChanged,
    /// The queue was paused or resumed, or a worker started or ended.
    QueueChanged,
    /// A pull request, or what is stored about it, changed.
    PullRequestUpdated,
    /// A log grew. Not stored: it has no id; the log itself has the lines.
    LogAppended,
}

impl EventKind {
    /// Every kind, in the order of declaration.
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

/// A change, with the ids of the resources that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its place in the order of events; null for kinds that are not stored.
    pub id: Option<EventId>,
    /// What changed, as a word in the past tense.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// The time of the change.
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
