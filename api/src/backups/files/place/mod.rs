//! The port to a place of files: where backups are. Files are named by relative paths, written as streams that appear whole or not at
//! all, and never changed afterwards.
//!
//! Not here: which files a backup has, and what is in them.

pub mod bucket;
mod directory;
#[cfg(test)]
mod directory_tests;
mod path;

use std::fmt::{self, Debug};
use std::io::{self, Read, Write};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

pub use bucket::Bucket;
pub use directory::Directory;
pub use path::PlacePath;

use crate::backups::port::BackupError;

/// A file that is there.
pub struct Stored {
    /// Its size.
    pub bytes: u64,
    /// What is in it. Reading blocks. An error of it is explained by [`Place::failed`].
    pub content: Box<dyn Read + Send>,
}

impl Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// A folder, which holds at least one entry in most places.
    Folder {
        /// Its name in the folder.
        name: String,
    },
    /// A complete file.
    File {
        /// Its name in the folder.
        name: String,
        /// Its size.
        bytes: u64,
    },
}

/// A file that is being written. Writing blocks. If it is dropped without [`Self::keep`], nothing of it stays.
pub trait Unfinished: Write + Send {
    /// Gives the complete file its name, in place of one that is there. Blocks until all of it is stored safely.
    ///
    /// # Errors
    /// [`BackupError::Transient`] or [`BackupError::Permanent`], in words for people; nothing of the file stays then. If the answer of a
    /// remote place is lost, the whole file may be there.
    fn keep(self: Box<Self>) -> Result<(), BackupError>;
}

/// Stores files. All calls may be repeated. Errors are [`BackupError::Transient`], [`BackupError::Permanent`] or
/// [`BackupError::Cancelled`], and name the place.
#[async_trait]
pub trait Place: Debug + Send + Sync {
    /// A path with its place, for messages.
    fn shown(&self, path: &PlacePath) -> String;

    /// The words for an error of writing an [`Unfinished`] or of reading a [`Stored`]. Errors of other readers and writers do not belong
    /// here.
    fn failed(&self, path: &PlacePath, error: &io::Error) -> BackupError;

    /// Why the place cannot be used at the moment, in words, as the last check has found; none: it can, or no check is needed.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Begins a file. Its folders are made. `cancel` also stops what is being written to it.
    ///
    /// # Errors
    /// [`BackupError::Transient`] also if the place notices that another program is writing it.
    async fn begin(&self, path: &PlacePath, cancel: &CancellationToken) -> Result<Box<dyn Unfinished>, BackupError>;

    /// Opens a file; none: it is missing. `cancel` also stops what is being read from it.
    async fn open(&self, path: &PlacePath, cancel: &CancellationToken) -> Result<Option<Stored>, BackupError>;

    /// The size of a file in bytes; none: it is missing.
    async fn size(&self, path: &PlacePath) -> Result<Option<u64>, BackupError>;

    /// What a folder holds, in any order; without a folder, the place itself. Names that no [`PlacePath`] has, and unfinished files, are
    /// left out. A folder that is missing is empty; a place that is missing is an error.
    async fn entries(&self, folder: Option<&PlacePath>) -> Result<Vec<Entry>, BackupError>;

    /// Deletes a file. Gone already is success.
    async fn delete(&self, path: &PlacePath) -> Result<(), BackupError>;

    /// Deletes a folder with all that is below it, also what crashed programs have left unfinished. Gone already is success.
    async fn delete_folder(&self, folder: &PlacePath) -> Result<(), BackupError>;
}

/// An error of a place as one of reading or writing.
pub(in crate::backups) fn carry(error: BackupError) -> io::Error {
    io::Error::other(error)
}

/// The error of a place that [`carry`] has put into one of reading or writing.
pub(in crate::backups) fn carried(error: &io::Error) -> Option<&BackupError> {
    error.get_ref()?.downcast_ref()
}

/// Runs a function that blocks.
///
/// # Errors
/// Its own; [`BackupError::Transient`] if it panicked, or was ended with the runtime.
pub(in crate::backups) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}

/// The words for a thread that panicked, or was ended with the runtime.
pub(in crate::backups) fn lost(error: tokio::task::JoinError) -> BackupError {
    BackupError::Transient(format!("the work was lost: {error}"))
}
