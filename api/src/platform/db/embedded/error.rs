//! What can go wrong with the embedded Postgres, each with the way out.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no embedded Postgres.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No server program was found.
    #[error(
        "PostgreSQL is not installed: no directory with `initdb` and `postgres` among {searched}. Install it (Debian: \
         apt-get install postgresql), or set PG_BINDIR to that directory, or set DATABASE_URL to a server of your own"
    )]
    NotInstalled {
        /// Where it was looked for.
        searched: String,
    },
    /// The data were made by a version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {wanted}, but only {found} is installed. Install that version \
         (Debian: apt-get install postgresql-{wanted}), or set PG_BINDIR to where it is, or set OCIM_DATA_DIR to another \
         directory to begin anew", data.display()
    )]
    WrongVersion {
        /// The database's directory.
        data: PathBuf,
        /// The version that made it.
        wanted: u32,
        /// The versions that are here.
        found: String,
    },
    /// The data directory cannot be used.
    #[error(
        "cannot {action} {}: {source}. The data directory must be writable by whoever starts ocim: change its owner, or \
         set OCIM_DATA_DIR to another one", path.display()
    )]
    Directory {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// How it failed.
        source: io::Error,
    },
    /// The database belongs to somebody else.
    #[error(
        "the database in {} belongs to the user id {owner}, but ocim runs as {ours}. Start ocim as that user or as root, \
         or set OCIM_DATA_DIR to another directory", data.display()
    )]
    Owner {
        /// The database's directory.
        data: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        ours: u32,
    },
    /// PostgreSQL refuses to run as root, and the user it runs as instead cannot get to the data.
    #[error(
        "PostgreSQL does not run as root, so it runs as the user {user}, who may not enter {}, and a mount namespace of its \
         own is not allowed here. Let it pass (chmod o+x {}), or set OCIM_DATA_DIR to a directory that every user can enter, as /var/lib/ocim", directory.display(),
        directory.display()
    )]
    NotTraversable {
        /// The first directory on the way that is closed.
        directory: PathBuf,
        /// Who stands before it.
        user: String,
    },
    /// Root, and no user to run as.
    #[error(
        "PostgreSQL does not run as root, and /etc/passwd has neither the user postgres nor nobody: add one, start ocim \
         as another user, or set DATABASE_URL to a server of your own"
    )]
    NoAccount,
    /// Another process has been starting or stopping it for too long.
    #[error(
        "another ocim has been starting or stopping the database in {} for more than {} s; wait for it or end it, then \
         start again", directory.display(), waited.as_secs()
    )]
    Busy {
        /// The database's directory.
        directory: PathBuf,
        /// How long we waited.
        waited: Duration,
    },
    /// There are data, but not the password to them.
    #[error(
        "the database in {} is there but its password file {} is not: put it back from a backup, or set OCIM_DATA_DIR to \
         another directory to begin anew", data.display(), file.display()
    )]
    NoPassword {
        /// The database's directory.
        data: PathBuf,
        /// Where the password was.
        file: PathBuf,
    },
    /// A program of PostgreSQL cannot be run or does not do it.
    #[error("{program} failed: {reason}. {remedy}")]
    Program {
        /// Which one.
        program: String,
        /// In its own words.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The server does not come up.
    #[error("PostgreSQL does not start: {reason}. The end of its log, {}:\n{tail}", log.display())]
    Start {
        /// What is known.
        reason: String,
        /// The log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server runs, but does not let us in.
    #[error("PostgreSQL runs on port {port} but does not answer as it must: {reason}. Its log: {}", log.display())]
    Answer {
        /// On 127.0.0.1.
        port: u16,
        /// In the driver's words.
        reason: String,
        /// The log.
        log: PathBuf,
    },
    /// There is nothing to join.
    #[error(
        "no database runs in {}: start `ocim server` with this data directory first, or set DATABASE_URL",
        directory.display()
    )]
    NotRunning {
        /// The database's directory.
        directory: PathBuf,
    },
    /// It does not end.
    #[error("PostgreSQL (process {pid}) could not be stopped: {reason}")]
    Stop {
        /// Its process.
        pid: u32,
        /// Why.
        reason: String,
    },
}

impl EmbeddedError {
    /// For `map_err` on what touches the data directory.
    pub(super) fn directory(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Directory { action, path, source }
    }
}
