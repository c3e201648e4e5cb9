//! Why a request is refused.

use shared_types::FieldError;

use crate::instances::application::ApplicationError;
use crate::platform::db::DbError;

/// A refusal; its message says state, need and remedy.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The requested object does not exist.
    #[error("There is no {what} {id}.")]
    NotFound {
        /// The kind of object, for the message.
        what: &'static str,
        id: i64,
    },
    /// Fields that are not valid, each with its error.
    #[error("Some fields are not valid; nothing was saved.")]
    Invalid(Vec<FieldError>),
    /// The current state does not allow the operation.
    #[error("{0}")]
    Conflict(String),
    /// The caller read an older version of the object.
    #[error("{0}")]
    Stale(String),
    /// Not possible now; the same request may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// Stored settings that the application cannot use.
    #[error(transparent)]
    Application(#[from] ApplicationError),
    /// The database does not answer, or its data is corrupt.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for Refusal {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
