//! The port to the place of backups, to the programs that dump and load databases, and to the objects of buckets.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use shared_types::ResourceKind;
use tokio_util::sync::CancellationToken;

use crate::resources::objects::Objects;
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

/// A bucket, and the store that it is in.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The kind of the store.
    pub kind: ResourceKind,
    /// The name that the application knows it by; names the files.
    pub name: String,
    /// Its name at the store.
    pub bucket: String,
    /// Reads and writes its objects.
    pub store: Arc<dyn Objects>,
}

/// The copy of one database: a file. Or that of a bucket: a manifest, which names files that the backups of an instance share.
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
    /// How many tables the database had; 0 for a bucket.
    #[serde(default)]
    pub tables: u64,
    /// The objects of a bucket; none: it is a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Copied>,
}

/// The objects in the copy of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Copied {
    /// How many they are.
    pub count: u64,
    /// The sum of their sizes in bytes.
    pub bytes: u64,
    /// The size of the largest one.
    pub largest: u64,
    /// How many of them were read from the store; the others were in an earlier backup.
    pub copied: u64,
    /// How many objects of the bucket are not in it, because no address names them.
    pub left_out: u64,
    /// The SHA-256 of the list of files that it uses, in hexadecimal digits.
    pub used_sha256: String,
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
    /// The bytes read from the server or the store or written to it, before compression.
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

    /// Copies the objects of a bucket that the instance's backups do not have yet. What is copied stays if the call fails, so that the next
    /// one goes on from there. `earlier`: a complete backup of the same instance, and what it has of this bucket.
    async fn copy(
        &self,
        at: &str,
        bucket: &Bucket,
        earlier: Option<(&str, &Piece)>,
        progress: &Progress,
    ) -> Result<Piece, BackupError>;

    /// Writes the objects of a copy that a bucket does not have as they were, and deletes none. Returns how many were written.
    async fn put_back(&self, at: &str, piece: &Piece, into: &Bucket, progress: &Progress) -> Result<u64, BackupError>;

    /// Deletes the copies of objects that no backup of this one's instance uses. Never while [`Self::copy`] runs for the instance.
    async fn sweep(&self, at: &str, progress: &Progress) -> Result<(), BackupError>;

    /// Deletes a backup with the files that are its own. Gone already is success.
    async fn delete(&self, at: &str) -> Result<(), BackupError>;

    /// Whether the place has any file of a backup.
    async fn has(&self, at: &str) -> Result<bool, BackupError>;

    /// The backups that are there, as `17/42`; also unfinished ones, where the place tells of them.
    async fn list(&self) -> Result<Vec<String>, BackupError>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// As versions without copies of buckets have stored it.
    const OLD: &str = r#"[{"kind": "mysql", "name": "main", "bytes": 345, "sha256": "0af1", "tables": 12}]"#;

    #[test]
    fn pieces_of_earlier_versions_are_databases() {
        let pieces: Vec<Piece> = serde_json::from_str(OLD).unwrap();
        let (name, sha256) = ("main".to_owned(), "0af1".to_owned());
        let expected = Piece { kind: ResourceKind::Mysql, name, bytes: 345, sha256, tables: 12, objects: None };
        assert_eq!(pieces, std::slice::from_ref(&expected));
        assert!(!serde_json::to_string(&expected).unwrap().contains("objects"), "they can read those of this one");
    }

    #[test]
    fn the_copy_of_a_bucket_is_read_as_it_was_stored() {
        let objects = Copied { count: 3, bytes: 30, largest: 20, copied: 1, left_out: 0, used_sha256: "bb".to_owned() };
        let (name, sha256) = ("files".to_owned(), "aa".to_owned());
        let piece = Piece { kind: ResourceKind::S3, name, bytes: 7, sha256, tables: 0, objects: Some(objects) };
        let stored = serde_json::to_value(&piece).unwrap();
        assert_eq!(serde_json::from_value::<Piece>(stored).unwrap(), piece);
    }
}
