//! Watched pull requests and their instances. Instances know nothing of pull requests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::PullRequestId;
use crate::instance::InstanceSummary;
use crate::warning::FieldWarning;

/// The most characters that the address of a pull request may have.
pub const URL_MAX: usize = 500;

/// The state of a pull request at GitHub.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum PullRequestState {
    /// Neither merged nor closed.
    Open,
    /// It was closed without being merged.
    Closed,
    /// Its change was merged.
    Merged,
}

impl PullRequestState {
    /// Every state, in the order of declaration.
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

/// Whether the commit and settings of a pull request may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Author and source repository are trusted.
    NotNeeded,
    /// An operator has to review this commit and its settings first; nothing of them runs until then.
    Needed,
    /// An operator let this commit and its settings run.
    Approved,
    /// An operator decided that nothing is made of this commit.
    Ignored,
}

impl Approval {
    /// Whether it may run.
    pub const fn allows(self) -> bool {
        matches!(self, Self::NotNeeded | Self::Approved)
    }
}

/// An operator's decision about a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
pub enum Decision {
    /// The commit may run.
    Approved,
    /// Nothing is made of the commit.
    Ignored,
}

impl Decision {
    /// Every decision, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Approved, Self::Ignored];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Ignored => "ignored",
        }
    }
}

/// What is still to be done to an instance after its pull request changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
pub enum Owed {
    /// Its settings are to be updated.
    Update,
    /// Its settings are to be updated, and an app server is to be launched with them.
    Rebuild,
}

impl Owed {
    /// Both, in the order of declaration.
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
    /// The id in this program; it is never used again.
    pub id: PullRequestId,
    /// The path of the resource.
    #[schema(example = "/api/v1/pull-requests/1")]
    pub api_url: String,
    /// The repository that it wants to change, `owner/name`.
    #[schema(example = "acme/courses")]
    pub repository: String,
    /// The number in that repository.
    #[schema(minimum = 1, example = 27)]
    pub github_pr_number: i32,
    /// The address of its page at GitHub.
    #[schema(example = "https://github.com/acme/courses/pull/27")]
    pub github_pr_url: String,
    /// The title that its author gave it.
    #[schema(example = "Show the grade beside the name")]
    pub title: String,
    /// The GitHub login of its author.
    #[schema(example = "ada")]
    pub author: String,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// Whether its author says that it is not finished.
    pub is_draft: bool,
    /// The repository that the change comes from; null if it was deleted.
    #[schema(example = "ada/courses")]
    pub fork_name: Option<String>,
    /// The branch that the change comes from.
    #[schema(example = "grades")]
    pub branch_name: String,
    /// The last commit of the branch.
    #[schema(example = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f")]
    pub head_commit: String,
    /// The settings block of its description; empty where there is none.
    pub extra_settings: String,
    /// Why the settings in the description cannot be used, with the line; null if they can.
    #[schema(example = "line 12: `ansible_connection` may not be set by a pull request")]
    pub settings_trouble: Option<String>,
    /// Warnings about the settings in the description; nothing is refused because of them. Lines count in the
    /// description.
    pub settings_warnings: Vec<FieldWarning>,
    /// The commit that the active app server of its instance was built from; null: there is none, or the settings of the
    /// instance choose code whose commit is not known. It may be another than `head_commit`.
    #[schema(example = "0b9ff8c02b3d3c3f1a4f2e7f0f1d2a1b3c4d5e6f")]
    pub running_commit: Option<String>,
    /// Why the last change of the pull request could not be followed; null if it was.
    pub trouble: Option<String>,
    /// Why the last report to GitHub failed; null if it did not.
    pub report_trouble: Option<String>,
    /// Whether its commit and settings may run.
    pub approval: Approval,
    /// Why commits of people outside the team cannot be approved at present; null if they can.
    #[serde(default)]
    #[schema(example = "Commits of people who are not of the team are not run on local machines.")]
    pub approval_obstacle: Option<String>,
    /// Who decided about this commit; null before that.
    pub decided_by: Option<String>,
    /// When it was decided; null before that.
    pub decided_at: Option<DateTime<Utc>>,
    /// Counts changes of source, commit and settings. An approval holds for one version.
    #[schema(minimum = 1, example = 1)]
    pub version: i64,
    /// Whether its instance has the settings of this version; false without an instance.
    pub is_applied: bool,
    /// Its instance; null if none was created.
    pub instance: Option<InstanceSummary>,
    /// When its instance will be archived; null if that is not planned.
    pub archives_at: Option<DateTime<Utc>>,
    /// When it last changed, by GitHub's clock.
    pub github_updated: DateTime<Utc>,
    /// When it was last fetched from GitHub.
    pub fetched_at: DateTime<Utc>,
    /// When this program first saw it.
    pub created: DateTime<Utc>,
    /// When its stored data last changed.
    pub modified: DateTime<Utc>,
}

/// The pull request that an instance was made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourcePullRequest {
    /// The id in this program.
    pub id: PullRequestId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/pull-requests/1")]
    pub api_url: String,
    /// The number in its repository.
    #[schema(minimum = 1, example = 27)]
    pub github_pr_number: i32,
    /// The address of its page at GitHub.
    #[schema(example = "https://github.com/acme/courses/pull/27")]
    pub github_pr_url: String,
}

/// A pull request to watch.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WatchPullRequest {
    /// The address of its page at GitHub, in a repository that WATCH_FORK names.
    #[schema(max_length = 500, example = "https://github.com/acme/courses/pull/27")]
    pub url: String,
}

/// The commit and settings that an operator has reviewed.
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
    /// The `version` that was reviewed, which includes the settings in the description. Required: without it, the request
    /// is refused with 422.
    #[serde(default)]
    #[schema(minimum = 1, example = 3)]
    pub version: Option<i64>,
}
