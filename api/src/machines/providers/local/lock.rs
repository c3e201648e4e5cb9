//! File locks: they exclude tasks of this process and other processes, and end with the process that holds them.
//!
//! A program that is given a lock ([`Lock::lend`]) holds it too: if this process is killed, its successor waits until
//! the program has ended.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::error::LocalError;

/// An exclusive lock on a file, held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the lock. Creates the file if missing; its directory must exist.
    pub(super) async fn take(path: PathBuf) -> Result<Self, LocalError> {
        let shown = path.clone();
        tokio::task::spawn_blocking(move || Self::take_blocking(&path))
            .await
            .map_err(|error| LocalError::Io { path: shown, source: std::io::Error::other(error) })?
    }

    fn take_blocking(path: &Path) -> Result<Self, LocalError> {
        loop {
            let file =
                OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(LocalError::io(path))?;
            file.lock().map_err(LocalError::io(path))?;
            // The previous holder may have removed the file: a lock on a removed file excludes no other process.
            if is_still_at(&file, path) {
                return Ok(Self { path: path.to_owned(), file });
            }
        }
    }

    /// Whether a process holds the lock.
    pub(super) fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
    }

    /// A standard input for a program that is to hold the lock as long as it runs. Reads as empty.
    pub(super) fn lend(&self) -> Result<Stdio, LocalError> {
        self.file.try_clone().map(Stdio::from).map_err(LocalError::io(&self.path))
    }

    /// Unlocks and removes the file. A waiting process creates a new one.
    pub(super) fn remove(self) -> Result<(), LocalError> {
        std::fs::remove_file(&self.path).map_err(LocalError::io(&self.path))
    }
}

fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(theirs)) => ours.ino() == theirs.ino() && ours.dev() == theirs.dev(),
        (Err(_), _) | (_, Err(_)) => false,
    }
}
