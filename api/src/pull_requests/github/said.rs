//! The checked contents of GitHub's answers.

use chrono::{DateTime, Utc};
use shared_types::pull_request::PullRequestState;

/// A repository at GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySaid {
    /// GitHub's id, which stays the same when the repository is renamed or transferred.
    pub github_id: i64,
    /// The current `owner/name`.
    pub name: String,
}

/// A pull request. All texts have a length limit; all but the description are without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequestSaid {
    /// The repository that it wants to change.
    pub repository: RepositorySaid,
    /// Its number in that repository.
    pub number: i32,
    /// Open, closed or merged.
    pub state: PullRequestState,
    /// The title, cut to 1,000 characters.
    pub title: String,
    /// The description; empty if there is none. Cut just above `MAX_BODY_BYTES`, so that a longer one is still refused.
    pub body: String,
    /// The login of the user who opened it; `ghost`: the account is gone.
    pub author: String,
    /// Whether GitHub shows it as a draft.
    pub is_draft: bool,
    /// `owner/name` of the source repository; none: it is gone.
    pub fork_name: Option<String>,
    /// The branch of the source repository, 500 characters at most; never cut, since that would name another branch.
    pub branch_name: String,
    /// The full hash of the branch's last commit.
    pub head_commit: String,
    /// When it last changed, by GitHub's clock.
    pub updated: DateTime<Utc>,
    /// When it was closed or merged; none: it is open.
    pub closed_at: Option<DateTime<Utc>>,
}

/// A pull request in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its number in the repository.
    pub number: i32,
    /// When it last changed, by GitHub's clock.
    pub updated: DateTime<Utc>,
}

/// The pull requests of a repository that have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Nothing has changed (304); that does not count against the rate limit.
    None,
    /// At least the first page has changed.
    Some {
        /// The changed ones, the last changed first, without duplicates.
        listed: Vec<Listed>,
        /// The `ETag` of the first page, for the next request.
        etag: Option<String>,
    },
}

/// A comment on a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: i64,
    /// The raw Markdown, cut to 64 KiB.
    pub body: String,
}

/// The state of a build, as GitHub names those of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// The build waits in the queue.
    Queued,
    /// The build or the activation is under way.
    InProgress,
    /// The app server has the traffic.
    Success,
    /// The build has failed.
    Failure,
    /// The app server has no traffic, or was stopped or terminated.
    Inactive,
}

/// The state of a build, as GitHub names those of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitState {
    /// The commit is being built, or runs without traffic.
    Pending,
    /// The commit has the traffic.
    Success,
    /// The build has failed or was stopped.
    Failure,
}

/// Why a request to GitHub failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GithubError {
    /// The named object does not exist, or the credentials may not see it (404, 410).
    #[error("GitHub has no {0}, or hides it from us")]
    NotFound(String),
    /// GitHub refused the request (another 4xx).
    #[error("GitHub says no ({status}): {words}")]
    Refused {
        /// The HTTP status code.
        status: u16,
        /// GitHub's message, cut and without control characters.
        words: String,
    },
    /// GitHub's rate limit is reached.
    #[error("GitHub wants to be left alone until {until}: {words}")]
    Paused {
        /// The end of the pause, by our clock, at most an hour from now.
        until: DateTime<Utc>,
        /// GitHub's message, cut and without control characters.
        words: String,
    },
    /// The connection failed or timed out, or GitHub answered with 5xx.
    #[error("GitHub does not answer: {0}")]
    Unavailable(String),
    /// GitHub's answer, or an address in it, is not valid or too long.
    #[error("GitHub's answer cannot be read: {0}")]
    Invalid(String),
}
