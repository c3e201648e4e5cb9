//! Small state files, written atomically.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LocalError;
use crate::platform::removal;

/// Reads a JSON file; none when it does not exist.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LocalError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(LocalError::io(path)(error)),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| LocalError::io(path)(error.into()))
}

/// Replaces a JSON file atomically: after a crash it holds the old value or the new one.
pub(super) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), LocalError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| LocalError::io(path)(error.into()))?;
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = fs::File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    };
    write().map_err(LocalError::io(path))
}

/// Removes a directory with all its contents; a missing directory is no error.
pub(super) fn remove_tree(path: &Path) -> Result<(), LocalError> {
    removal::remove_tree(path).map_err(LocalError::io(path))
}
