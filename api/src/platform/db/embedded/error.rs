//! Errors of the embedded Postgres; each message names the remedy.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the embedded Postgres is not available.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No PostgreSQL server program was found.
    #[error(
        "PostgreSQL is not installed: no directory with `initdb` and `postgres` among {searched}. Install it (Debian: \
         apt-get install postgresql), or set PG_BINDIR to that directory, or set DATABASE_URL to a server of your own"
    )]
    NotInstalled {
        /// The directories that were searched.
        searched: String,
    },
    /// The data were created by a PostgreSQL version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {wanted}, but only {found} is installed. Install that version \
         (Debian: apt-get install postgresql-{wanted}), or set PG_BINDIR to where it is, or set OCIM_DATA_DIR to another \
         directory to begin anew", data.display()
    )]
    WrongVersion {
        data: PathBuf,
        /// The major version that created the data.
        wanted: u32,
        /// The installed versions.
        found: String,
    },
    /// The data directory cannot be used.
    #[error(
        "cannot {action} {}: {source}. The data directory must be writable by ocim's user: change its owner, or \
         set OCIM_DATA_DIR to another one", path.display()
    )]
    Directory {
        /// The operation that failed, as a verb for the message.
        action: &'static str,
        /// The file or directory it failed on.
        path: PathBuf,
        source: io::Error,
    },
    /// Another Unix user owns the database.
    #[error(
        "the database in {} belongs to the user id {owner}, but ocim runs as {ours}. Start ocim as that user or as root, \
         or set OCIM_DATA_DIR to another directory", data.display()
    )]
    Owner {
        data: PathBuf,
        /// The user id that owns the data.
        owner: u32,
        /// The user id that ocim runs as.
        ours: u32,
    },
    /// PostgreSQL refuses to run as root, and the user that runs it instead cannot reach the data.
    #[error(
        "PostgreSQL does not run as root, so it runs as the user {user}, who may not enter {}, and a mount namespace of its \
         own is not allowed here. Let it pass (chmod o+x {}), or set OCIM_DATA_DIR to a directory that every user can enter, as /var/lib/ocim", directory.display(),
        directory.display()
    )]
    NotTraversable {
        /// The first directory on the path that the user cannot enter.
        directory: PathBuf,
        /// The name of the user that runs PostgreSQL.
        user: String,
    },
    /// ocim runs as root, and there is no unprivileged user to run PostgreSQL.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither the user postgres nor nobody: add one, start ocim \
         as another user, or set DATABASE_URL to a server of your own"
    )]
    NoAccount,
    /// Another process has held the start/stop lock for too long.
    #[error(
        "another ocim has been starting or stopping the database in {} for more than {} s; wait for it or end it, then \
         start again", directory.display(), waited.as_secs()
    )]
    Busy {
        directory: PathBuf,
        /// How long this process waited for the lock.
        waited: Duration,
    },
    /// The data exist, but their password file does not.
    #[error(
        "the database in {} is there but its password file {} is not: put it back from a backup, or set OCIM_DATA_DIR to \
         another directory to begin anew", data.display(), file.display()
    )]
    NoPassword {
        data: PathBuf,
        /// Where the password file should be.
        file: PathBuf,
    },
    /// A PostgreSQL program cannot be run, or failed.
    #[error("{program} failed: {reason}. {remedy}")]
    Program {
        /// The program's name, such as `initdb`.
        program: String,
        /// The program's own error message.
        reason: String,
        /// What the operator can do, as a sentence.
        remedy: &'static str,
    },
    /// The server did not start.
    #[error("PostgreSQL does not start: {reason}. The end of its log, {}:\n{tail}", log.display())]
    Start {
        /// Why, as far as known.
        reason: String,
        /// The path of the server's log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// The server runs, but refuses the connection.
    #[error("PostgreSQL runs on port {port} but does not answer as it must: {reason}. Its log: {}", log.display())]
    Answer {
        /// The server's port on 127.0.0.1.
        port: u16,
        /// The database driver's error message.
        reason: String,
        /// The path of the server's log.
        log: PathBuf,
    },
    /// No server runs on the data directory that a worker wants to join.
    #[error(
        "no database runs in {}: start `ocim server` with this data directory first, or set DATABASE_URL",
        directory.display()
    )]
    NotRunning { directory: PathBuf },
    /// The server did not stop.
    #[error("PostgreSQL (process {pid}) could not be stopped: {reason}")]
    Stop {
        /// The server's first process.
        pid: u32,
        /// The error, or that it survived SIGKILL.
        reason: String,
    },
}

impl EmbeddedError {
    /// For `map_err` after operations on the data directory.
    pub(super) fn directory(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Directory { action, path, source }
    }
}
