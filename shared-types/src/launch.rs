//! What caused a launch, and the body of a launch request.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most attempts that a launch may ask for.
pub const MAX_ATTEMPTS: i32 = 10;

/// What caused a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A user, in the browser.
    User,
    /// A script, by an API token.
    Token,
    /// A pull request that is watched.
    PullRequest,
    /// The program, at a set time.
    Schedule,
    /// An attempt before this one failed.
    Retry,
}

impl Trigger {
    /// Every trigger, in the order of declaration.
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

/// The body of a launch request. Every field may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LaunchAppServer {
    /// How many app servers are launched, one after another, until a build succeeds: 1 to 10. Each takes the current
    /// settings. After a permanent error (a branch that does not exist, YAML that is not valid) there is no retry.
    #[schema(minimum = 1, maximum = 10, example = 1)]
    pub num_attempts: i32,
    /// Whether it is activated once its build succeeds; not while a hold is set, and not if a newer one is active.
    pub activate_when_running: bool,
    /// Whether visitors go on to use the site while a build migrates its databases (`next_migration` of the instance says whether
    /// it does). If such a build then fails, nothing is restored without a request: what visitors wrote would be lost.
    pub migrate_without_page: bool,
    /// The reason, for the history; at most 500 characters.
    #[schema(max_length = 500, example = "upgrade to quince.3")]
    pub reason: Option<String>,
}

impl Default for LaunchAppServer {
    fn default() -> Self {
        Self { num_attempts: 1, activate_when_running: false, migrate_without_page: false, reason: None }
    }
}
