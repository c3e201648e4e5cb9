//! The port to the place of backups, and to the programs that dump and load databases.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use shared_types::ResourceKind;
use tokio_util::sync::CancellationToken;

use crate::resources::server::{Account, Endpoint};

/// A database, and the account that may read and write it.
#[derive(Debug, Clone)]
pub struct Source {
    /// The kind of its server.
    pub kind: ResourceKind,
    /// The name that the application knows it by; names the file.
    pub name: String,
    /// Its name at the server.
    pub database: String,
    /// Where it is.
    pub endpoint: Endpoint,
    /// The file of authorities that the server's certificate is verified with; none: those of the system. Of no use without TLS.
    pub ca_file: Option<std::path::PathBuf>,
    /// Who logs in.
    pub account: Account,
}

/// The copy of one database: a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Piece {
    /// The kind of the server that it came from, and fits.
    pub kind: ResourceKind,
    /// The name that the application knows the database by.
    pub name: String,
    /// The size of the file in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file in hexadecimal digits.
    pub sha256: String,
    /// How many tables the database had.
    pub tables: u64,
}

/// Why a call failed. The texts contain no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// A retry may succeed: the server is away, or the disk is full.
    #[error("{0}")]
    Transient(String),
    /// A retry does not help. The program's words, and what to do.
    #[error("{0}")]
    Permanent(String),
    /// A file is missing, cut off or altered. Nothing was read from it.
    #[error("{0}")]
    Damaged(String),
    /// The work was stopped.
    #[error("stopped")]
    Cancelled,
}

/// How far a call has come, and how it is stopped.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The bytes read from the server or written to it, before compression.
    pub bytes: Arc<AtomicU64>,
    /// Stops the call.
    pub cancel: CancellationToken,
}

/// Writes, checks, reads and deletes backups. `at` names one backup: a relative path such as `17/42`.
#[async_trait]
pub trait Backups: Debug + Send + Sync {
    /// Why nothing can be restored here, in words; none: it can. A backup can be written without the key that reads it.
    fn why_no_restore(&self) -> Option<String>;

    /// Why the place cannot be used at the moment, in words, as its last check has found; none: it can, as far as is known. Works are tried
    /// again until it can.
    fn trouble(&self) -> Option<String>;

    /// Copies a database into a file, of which nothing is left if the call fails. One that is there is replaced.
    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError>;

    /// Reads and decrypts the whole file, and uses nothing of it: [`BackupError::Damaged`] if it is missing, or is not the one that was
    /// written; [`BackupError::Permanent`] if no key here opens it.
    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError>;

    /// Checks the file, and then loads it into an empty database.
    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError>;

    /// How many tables a database has.
    async fn tables(&self, of: &Source) -> Result<u64, BackupError>;

    /// Deletes a backup with all its files. Gone already is success.
    async fn delete(&self, at: &str) -> Result<(), BackupError>;

    /// Whether the place has any file of a backup.
    async fn has(&self, at: &str) -> Result<bool, BackupError>;

    /// The backups that are there, as `17/42`; also unfinished ones, where the place tells of them.
    async fn list(&self) -> Result<Vec<String>, BackupError>;
}
