//! Why something that was asked is not done.

use shared_types::FieldError;

use crate::instances::application::ApplicationError;
use crate::platform::db::DbError;

/// A refusal, in words that say state, need and remedy.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("There is no {what} {id}.")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// By which id.
        id: i64,
    },
    /// Fields that do not make sense.
    #[error("Some fields are not valid; nothing was saved.")]
    Invalid(Vec<FieldError>),
    /// It does not fit the state things are in.
    #[error("{0}")]
    Conflict(String),
    /// The caller saw an older version.
    #[error("{0}")]
    Stale(String),
    /// It cannot be done now, and may be later.
    #[error("{0}")]
    Unavailable(String),
    /// Stored settings that the application cannot use.
    #[error(transparent)]
    Application(#[from] ApplicationError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
