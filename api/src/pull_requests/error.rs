//! The errors of operations on pull requests.

use chrono::{DateTime, Utc};

use super::github::GithubError;
use crate::instances::Refusal;
use crate::platform::db::DbError;

/// Why an operation on a pull request failed.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// GitHub's rate limit is reached.
    #[error("GitHub wants to be left alone until {until}: {words}")]
    Paused {
        /// The end of the pause, by our clock.
        until: DateTime<Utc>,
        /// GitHub's message, cut and without control characters.
        words: String,
    },
    /// GitHub refused the request or did not answer.
    #[error(transparent)]
    Github(GithubError),
    /// An operation on the instance was refused, or the user's input is not valid.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A statement or the connection to the database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Any other error, in words for people.
    #[error("{0}")]
    Other(String),
}

impl From<diesel::result::Error> for WatchError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
