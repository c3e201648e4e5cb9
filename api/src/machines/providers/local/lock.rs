//! File locks: they hold between the tasks of this process and between processes, and end with whoever holds them.
//!
//! A program that is given a lock ([`Lock::lend`]) holds it too: if this process is killed, whoever takes over waits until
//! what it had begun has ended.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::error::LocalError;

/// Held until dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Waits for the lock. The file is made when missing; its directory must exist.
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
            // The one before us may have removed the file: a lock on a removed file excludes nobody.
            if is_still_at(&file, path) {
                return Ok(Self { path: path.to_owned(), file });
            }
        }
    }

    /// The lock, if nobody holds it.
    pub(super) fn is_held(path: &Path) -> bool {
        File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
    }

    /// A standard input for a program that is to hold the lock as long as it runs. It reads as empty.
    pub(super) fn lend(&self) -> Result<Stdio, LocalError> {
        self.file.try_clone().map(Stdio::from).map_err(LocalError::io(&self.path))
    }

    /// Lets go and removes the file. Whoever waits makes a new one.
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
