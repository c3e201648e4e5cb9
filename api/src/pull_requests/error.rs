//! Why something about a pull request was not done.

use chrono::{DateTime, Utc};

use super::github::GithubError;
use crate::instances::Refusal;
use crate::platform::db::DbError;

/// Why something about a pull request was not done.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// GitHub wants to be left alone for a while.
    #[error("GitHub wants to be left alone until {until}: {words}")]
    Paused {
        /// Until when.
        until: DateTime<Utc>,
        /// In its words.
        words: String,
    },
    /// GitHub does not do it.
    #[error(transparent)]
    Github(GithubError),
    /// It cannot be asked for.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl From<diesel::result::Error> for WatchError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
