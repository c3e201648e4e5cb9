//! A lock that programs share: one of them fills a part of the cache, the others wait.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::command::failed_at;
use super::port::AnsibleError;

/// How often is asked for a lock that another one holds.
const POLL: Duration = Duration::from_millis(100);

/// Takes the lock of this file, which is made when missing and never removed. The lock ends with the file that is returned,
/// or with the program.
pub(super) async fn lock(path: &Path, cancel: &CancellationToken) -> Result<File, AnsibleError> {
    let file = File::create(path).map_err(|error| failed_at(path, &error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed_at(path, &error)),
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(AnsibleError::Cancelled),
            () = sleep(POLL) => {}
        }
    }
}
