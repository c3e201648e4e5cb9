//! How an app server came to be launched, and what launching takes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many attempts a launch may ask for.
pub const MAX_ATTEMPTS: i32 = 10;

/// What caused a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person, in the browser.
    User,
    /// A script, by an API token.
    Token,
    /// A pull request.
    PullRequest,
    /// The clock.
    Schedule,
    /// An attempt before this one failed.
    Retry,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: &[Self] = &[Self::User, Self::Token, Self::PullRequest, Self::Schedule, Self::Retry];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Token => "token",
            Self::PullRequest => "pull_request",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
        }
    }
}

/// What launching takes. Every field may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LaunchAppServer {
    /// How many app servers are tried, one after another, until one is built: 1 to 10. Each takes the settings anew. What
    /// cannot go better (a branch that does not exist, YAML that is broken) is not tried again.
    #[schema(minimum = 1, maximum = 10, example = 1)]
    pub num_attempts: i32,
    /// Whether it is activated when its build has ended well; not while a hold is on, and not in the place of a newer one.
    pub activate_when_running: bool,
    /// Why, for the history; at most 500 characters.
    #[schema(max_length = 500, example = "upgrade to quince.3")]
    pub reason: Option<String>,
}

impl Default for LaunchAppServer {
    fn default() -> Self {
        Self { num_attempts: 1, activate_when_running: false, reason: None }
    }
}
