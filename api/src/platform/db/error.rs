//! Why a database operation failed.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind as Kind, Error};

/// Why a database operation failed.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection could be made or borrowed; the driver's message.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database's URL, or a file that it names, cannot be used; what is wrong.
    #[error("DATABASE_URL cannot be used: {0}")]
    Url(String),
    /// The server answers but refuses writes: its disk is full, or it is read-only. The server's message.
    #[error("the database takes nothing in: {0}")]
    ReadOnly(String),
    /// A statement failed; the driver's error.
    #[error(transparent)]
    Query(Error),
    /// A secret is missing: it was replaced after its document was read, or it is lost.
    #[error("secret {0} is missing")]
    Replaced(String),
    /// A stored value is not one that this program writes.
    #[error("the database holds what it should not: {0}")]
    Corrupt(String),
}

/// The server's words when it ends a statement at one of its time limits, or because its caller is gone.
const CUT: &[&str] = &["statement timeout", "lock timeout", "idle-in-transaction timeout", "due to user request"];

impl DbError {
    /// Whether the server is unreachable, or became so during the operation.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Query(Error::DatabaseError(kind, info)) => {
                matches!(kind, Kind::ClosedConnection | Kind::UnableToSendCommand) || is_shutdown(info.as_ref())
            }
            Self::Query(_) | Self::Url(_) | Self::ReadOnly(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }

    /// Whether a retry may succeed: the server was unreachable, the connection broke, a time limit was reached, or two
    /// transactions waited for each other.
    pub fn may_go_better(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Query(Error::DatabaseError(Kind::Unknown, info)) => !is_about_data(info.message()),
            Self::Query(Error::DatabaseError(kind, _)) => {
                matches!(kind, Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::SerializationFailure)
            }
            Self::Query(Error::BrokenTransactionManager | Error::RollbackErrorOnCommit { .. }) => true,
            Self::ReadOnly(_) => true,
            Self::Query(_) | Self::Url(_) | Self::Replaced(_) | Self::Corrupt(_) => false,
        }
    }

    /// Whether the server refuses a value itself, such as a time that it cannot express: the same values are refused
    /// again, however often they are sent.
    pub fn refuses_data(&self) -> bool {
        match self {
            Self::Query(Error::SerializationError(_)) => true,
            Self::Query(Error::DatabaseError(Kind::Unknown, info)) => is_about_data(info.message()),
            Self::Query(Error::DatabaseError(Kind::CheckViolation | Kind::NotNullViolation, _)) => true,
            Self::Query(_)
            | Self::Unavailable(_)
            | Self::Url(_)
            | Self::ReadOnly(_)
            | Self::Replaced(_)
            | Self::Corrupt(_) => false,
        }
    }

    /// Whether the server ended a statement at one of its time limits.
    pub fn took_too_long(&self) -> bool {
        self.says(CUT)
    }

    /// Whether the transaction was rolled back because it and another one waited for each other.
    pub fn is_deadlock(&self) -> bool {
        self.says(&["deadlock detected"])
    }

    /// Recognised by its message only, because the driver does not expose the class.
    fn says(&self, words: &[&str]) -> bool {
        let Self::Query(Error::DatabaseError(Kind::Unknown, info)) = self else { return false };
        words.iter().any(|known| info.message().contains(known))
    }
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        // A full disk (class 53100) is recognised by its message only, like the time limits.
        if let Error::DatabaseError(kind, info) = &error
            && (matches!(kind, Kind::ReadOnlyTransaction)
                || (matches!(kind, Kind::Unknown) && is_disk_full(info.as_ref())))
        {
            return Self::ReadOnly(info.message().to_owned());
        }
        Self::Query(error)
    }
}

impl From<serde_json::Error> for DbError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Recognised by its message only, like a full disk.
fn is_shutdown(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    let words = info.message();
    let known = ["administrator command", "database system is", "connection closed", "idle-in-transaction timeout"];
    known.iter().any(|known| words.contains(known))
}

/// Errors of class 22 and sizes beyond a limit, also recognised by their messages.
fn is_about_data(message: &str) -> bool {
    const KNOWN: &[&str] = &[
        "out of range",
        "invalid byte sequence",
        "invalid input syntax",
        "incorrect binary data format",
        "cannot be converted to text",
        "null character not permitted",
        "value too long",
        "invalid memory alloc request size",
        "row is too big",
        "index row size",
    ];
    KNOWN.iter().any(|known| message.contains(known))
}

fn is_disk_full(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> bool {
    info.message().contains("No space left on device") || info.message().contains("Disk quota exceeded")
}
