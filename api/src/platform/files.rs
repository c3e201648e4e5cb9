//! Directories of one user, and locks that the programs of that user share.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::command::CommandError;

/// How often a lock that another program holds is tried.
const POLL: Duration = Duration::from_millis(100);

/// Makes a directory (0700) and the missing ones above it. One that exists keeps its mode.
///
/// # Errors
/// What the system says.
pub fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Takes the lock of this file, which is made when missing and never removed, and waits while another program holds it. The
/// lock ends with the file that is returned, or with the program.
///
/// # Errors
/// [`CommandError::System`] with the path, and [`CommandError::Cancelled`].
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
