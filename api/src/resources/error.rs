//! Why resources cannot be made, found or deleted.

use super::server::ServerError;
use super::store::ResourceRow;
use crate::platform::db::DbError;

/// Why resources cannot be made, found or deleted. The messages name the resource and its server, and contain no password.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// Another worker works on the same account. Retry in a moment.
    #[error("{0} are being made or deleted by another worker")]
    Busy(String),
    /// The server does not answer, or the settings do not have it. Retry later.
    #[error("{0}")]
    Away(String),
    /// The server did a part of it. Retry soon for the rest.
    #[error("{0}")]
    Unfinished(String),
    /// The server refuses it. A retry does not help.
    #[error("{0}")]
    Refused(String),
    /// The name belongs to others at the server; the row has another name by now, which the next launch gets.
    #[error("{0}")]
    Taken(String),
    /// The server confirmed it once, and has it no more.
    #[error("{0}")]
    Vanished(String),
    /// A statement failed, or a row is not what this program writes.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl ResourceError {
    /// Names the resource in an error of its server.
    pub(super) fn at(row: &ResourceRow, error: ServerError) -> Self {
        let what = row.words();
        match error {
            ServerError::Away(words) => Self::Away(format!("{what}: {words}")),
            ServerError::Refused(words) => Self::Refused(format!("{what}: {words}")),
            ServerError::Unfinished(words) => Self::Unfinished(format!("{what}: {words}")),
            ServerError::Taken => Self::Taken(format!("{what}: the name is taken")),
        }
    }
}

impl From<diesel::result::Error> for ResourceError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
