//! Pull requests that are watched, and the instances they get. Instances know nothing of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::PullRequestId;
use crate::instance::InstanceSummary;
use crate::warning::FieldWarning;

/// How long the address of a pull request may be, in characters.
pub const URL_MAX: usize = 500;

/// What GitHub says of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// It waits to be merged.
    Open,
    /// It was closed without being merged.
    Closed,
    /// Its change was taken in.
    Merged,
}

impl PullRequestState {
    /// Every state.
    pub const ALL: &[Self] = &[Self::Open, Self::Closed, Self::Merged];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// Whether what a pull request wants may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Author and source are the team's.
    NotNeeded,
    /// An operator has to look at this commit and its settings first; nothing of it runs until then.
    Needed,
    /// An operator let this commit run.
    Approved,
    /// An operator wants nothing made of this commit.
    Ignored,
}

impl Approval {
    /// Whether it may run.
    pub const fn allows(self) -> bool {
        matches!(self, Self::NotNeeded | Self::Approved)
    }
}

/// What an operator says of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
pub enum Decision {
    /// It may run.
    Approved,
    /// Nothing is made of it.
    Ignored,
}

impl Decision {
    /// Every decision.
    pub const ALL: &[Self] = &[Self::Approved, Self::Ignored];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Ignored => "ignored",
        }
    }
}

/// What an instance is owed that its pull request changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
pub enum Owed {
    /// Changed settings.
    Update,
    /// And an app server with them.
    Rebuild,
}

impl Owed {
    /// Both.
    pub const ALL: &[Self] = &[Self::Update, Self::Rebuild];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Rebuild => "rebuild",
        }
    }
}

/// A pull request that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PullRequest {
    /// The id, here.
    pub id: PullRequestId,
    /// The path of the resource.
    #[schema(example = "/api/v1/pull-requests/1")]
    pub api_url: String,
    /// The repository that it wants to change, `owner/name`.
    #[schema(example = "acme/edx-platform")]
    pub repository: String,
    /// Its number there.
    #[schema(minimum = 1, example = 27)]
    pub github_pr_number: i32,
    /// Its page.
    #[schema(example = "https://github.com/acme/edx-platform/pull/27")]
    pub github_pr_url: String,
    /// What its author calls it.
    #[schema(example = "Show the grade beside the name")]
    pub title: String,
    /// Who opened it: a login of GitHub.
    #[schema(example = "ada")]
    pub author: String,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// Whether its author says that it is not finished.
    pub is_draft: bool,
    /// The repository that the change comes from; null: it is gone.
    #[schema(example = "ada/edx-platform")]
    pub fork_name: Option<String>,
    /// The branch there.
    #[schema(example = "grades")]
    pub branch_name: String,
    /// The last commit of the branch.
    #[schema(example = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f")]
    pub head_commit: String,
    /// The settings block of its description; empty where there is none.
    pub extra_settings: String,
    /// Why the settings in the description cannot be used, with the line; null: they can.
    #[schema(example = "line 12: `ansible_connection` may not be set by a pull request")]
    pub settings_trouble: Option<String>,
    /// What its author may want to know of the settings in the description; nothing is refused for it. Lines count in the
    /// description.
    pub settings_warnings: Vec<FieldWarning>,
    /// The commit that the active app server of its instance was built from; null: there is none, or the settings of the
    /// instance choose code whose commit is not known. It may be another than `head_commit`.
    #[schema(example = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f")]
    pub running_commit: Option<String>,
    /// Why what it wants was not done; null: it was.
    pub trouble: Option<String>,
    /// Why GitHub could not be told how it goes; null: it was told.
    pub report_trouble: Option<String>,
    /// Whether it may run.
    pub approval: Approval,
    /// Who decided about this commit.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Counts changes of what would run: source, commit, settings. See `approve`.
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
    /// Whether its instance has the settings of this version; false without an instance.
    pub is_applied: bool,
    /// Its instance; null: none was made.
    pub instance: Option<InstanceSummary>,
    /// When its instance is archived; null: not now.
    pub archives_at: Option<DateTime<Utc>>,
    /// When it last changed, by GitHub's clock.
    pub github_updated: DateTime<Utc>,
    /// When GitHub was last asked.
    pub fetched_at: DateTime<Utc>,
    /// When it was first seen.
    pub created: DateTime<Utc>,
    /// When what is known of it last changed.
    pub modified: DateTime<Utc>,
}

/// The pull request that an instance was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourcePullRequest {
    /// Its id, here.
    pub id: PullRequestId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/pull-requests/1")]
    pub api_url: String,
    /// Its number.
    #[schema(minimum = 1, example = 27)]
    pub github_pr_number: i32,
    /// Its page.
    #[schema(example = "https://github.com/acme/edx-platform/pull/27")]
    pub github_pr_url: String,
}

/// A pull request to watch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchPullRequest {
    /// Its page at GitHub; it must be of a repository that WATCH_FORK names.
    #[schema(max_length = 500, example = "https://github.com/acme/edx-platform/pull/27")]
    pub url: String,
}

/// What an operator has looked at.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DecideCommit {
    /// The whole hash of the head commit.
    #[schema(
        max_length = 64,
        pattern = "^[0-9a-f]{40}([0-9a-f]{24})?$",
        example = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f"
    )]
    pub commit: String,
    /// The `version` that was looked at: the description's settings are part of it. Without one, whatever the version is now.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
}
