//! The data directory, which one server uses at a time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StartError;
use crate::platform::children;

/// Creates the directory if it is missing. Returns its canonical path.
pub(super) fn open(path: &Path) -> Result<PathBuf, StartError> {
    std::fs::create_dir_all(path).and_then(|()| path.canonicalize()).map_err(|error| cannot(path, &error))
}

/// Opens the directory, checks that it is writable, and locks it against other servers while the file is open.
pub(super) async fn lock(path: &Path) -> Result<(PathBuf, File), StartError> {
    let dir = open(path)?;
    let lock = children::lock(&dir.join("server.lock"), Duration::from_secs(1)).await;
    let lock = lock.map_err(|error| cannot(path, &error))?.ok_or_else(|| {
        format!(
            "another ocim server uses the data directory {}; stop it, or choose another with OCIM_DATA_DIR",
            dir.display()
        )
    })?;
    Ok((dir, lock))
}

fn cannot(path: &Path, error: &std::io::Error) -> StartError {
    format!("the data directory {} cannot be written ({error}); choose another with OCIM_DATA_DIR", path.display())
        .into()
}
