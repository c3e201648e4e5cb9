//! Why an attempt of a work has ended.

use crate::backups::BackupError;
use crate::instances::Refusal;
use crate::platform::db::DbError;
use crate::resources::ResourceError;
use crate::resources::server::ServerError;

/// Why an attempt of a work has ended. The texts contain no password.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another attempt may succeed.
    Transient(String),
    /// Another attempt does not help.
    Permanent(String),
    /// Another worker has claimed the backup, or is about to.
    Lost,
    /// ocim's own database does not answer.
    Db(DbError),
}

impl Failure {
    /// The same about a database, by its words.
    pub fn about(self, what: &str) -> Self {
        match self {
            Self::Transient(words) => Self::Transient(format!("{what}: {words}")),
            Self::Permanent(words) => Self::Permanent(format!("{what}: {words}")),
            Self::Lost | Self::Db(_) => self,
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Transient(words) => Self::Transient(words),
            BackupError::Permanent(words) | BackupError::Damaged(words) => Self::Permanent(words),
            BackupError::Cancelled => Self::Lost,
        }
    }
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Away(words) | ServerError::Unfinished(words) => Self::Transient(words),
            ServerError::Refused(words) => Self::Permanent(words),
            ServerError::Taken => Self::Permanent(error.to_string()),
        }
    }
}

impl From<ResourceError> for Failure {
    fn from(error: ResourceError) -> Self {
        match error {
            // Of one whose name was taken, the next attempt makes another one.
            ResourceError::Busy(words)
            | ResourceError::Away(words)
            | ResourceError::Unfinished(words)
            | ResourceError::Taken(words) => Self::Transient(words),
            ResourceError::Refused(words) | ResourceError::Vanished(words) => Self::Permanent(words),
            ResourceError::Db(error) => error.into(),
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        // The password was replaced while it was read.
        if matches!(error, DbError::Replaced(_)) {
            Self::Transient(error.to_string())
        } else if error.may_go_better() {
            Self::Db(error)
        } else {
            Self::Permanent(error.to_string())
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Db(error) => error.into(),
            Refusal::Unavailable(words) => Self::Transient(words),
            Refusal::NotFound { .. }
            | Refusal::Invalid(_)
            | Refusal::Conflict(_)
            | Refusal::Stale(_)
            | Refusal::Application(_) => Self::Permanent(refusal.to_string()),
        }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}
