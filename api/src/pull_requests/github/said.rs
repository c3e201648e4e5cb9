//! What GitHub says, as far as it is asked for.

use chrono::{DateTime, Utc};
use shared_types::pull_request::PullRequestState;

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySaid {
    /// What GitHub knows it by, also when it is renamed or changes hands.
    pub github_id: i64,
    /// `owner/name`, now.
    pub name: String,
}

/// A pull request. Every text is bounded and without control characters; the description may have line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestSaid {
    /// The repository that it wants to change.
    pub repository: RepositorySaid,
    /// Its number there.
    pub number: i32,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// What its author calls it; cut to 1,000 characters.
    pub title: String,
    /// The description; empty where there is none. Cut a little behind what is read of one, so that a longer one is refused.
    pub body: String,
    /// Who opened it; `ghost` where the account is gone.
    pub author: String,
    /// Whether it is not finished.
    pub is_draft: bool,
    /// The repository that the change comes from, `owner/name`; none: it is gone.
    pub fork_name: Option<String>,
    /// The branch there, 500 characters at most: a cut name would be another branch.
    pub branch_name: String,
    /// The last commit of the branch, in full.
    pub head_commit: String,
    /// When it last changed.
    pub updated: DateTime<Utc>,
    /// When it was closed or merged.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A pull request in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub number: i32,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

/// What has changed in a repository since it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Nothing; that cost no part of the rate limit.
    None,
    /// These, the last changed first, each once.
    Some {
        /// Which.
        listed: Vec<Listed>,
        /// The tag of the first page, for the next time.
        etag: Option<String>,
    },
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub body: String,
}

/// How a build goes, in GitHub's words for a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// It waits for a place.
    Queued,
    /// It is under way.
    InProgress,
    /// It has the traffic.
    Success,
    /// It failed.
    Failure,
    /// It is gone.
    Inactive,
}

/// How a build goes, in GitHub's words for a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitState {
    /// It is under way.
    Pending,
    /// It went well.
    Success,
    /// It failed.
    Failure,
}

/// Why GitHub did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubError {
    /// There is no such thing, or it is hidden from us.
    #[error("GitHub has no {0}, or hides it from us")]
    NotFound(String),
    /// It says no. In its words, cut and without control characters.
    #[error("GitHub says no ({status}): {words}")]
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        words: String,
    },
    /// It has been asked too often, and says until when it wants to be left alone.
    #[error("GitHub wants to be left alone until {until}: {words}")]
    Paused {
        /// Until when.
        until: DateTime<Utc>,
        /// Its words.
        words: String,
    },
    /// It does not answer, or not in time, or says that it cannot now.
    #[error("GitHub does not answer: {0}")]
    Unavailable(String),
    /// What it says cannot be read.
    #[error("GitHub's answer cannot be read: {0}")]
    Invalid(String),
}
