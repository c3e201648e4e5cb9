//! Directories for one Unix user, and file locks shared by that user's programs.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::command::CommandError;

/// The interval between two attempts to take a lock that another program holds.
const POLL: Duration = Duration::from_millis(100);

/// Creates a directory (0700) and its missing parents. An existing directory keeps its permissions.
///
/// # Errors
/// [`io::Error`] if the directory cannot be created.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Takes the lock of this file, waiting while another program holds it. The file is created if missing and never
/// removed. The lock is released when the returned file is dropped, or when the program ends.
///
/// # Errors
/// [`CommandError::System`] with the path if the file cannot be locked, and [`CommandError::Cancelled`].
pub async fn lock(path: &Path, cancel: &CancellationToken) -> Result<File, CommandError> {
    let failed = |error: io::Error| CommandError::System(format!("{}: {error}", path.display()));
    let file = File::create(path).map_err(failed)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(CommandError::Cancelled),
            () = sleep(POLL) => {}
        }
    }
}
