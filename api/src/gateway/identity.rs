//! The id of a gateway's host, by which the servers know an agent that was started again from one on another host.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const FILE: &str = "agent";

/// Reads the id from the gateway's directory, or makes one.
///
/// # Errors
/// An I/O error of the file.
pub(super) fn read_or_make(directory: &Path) -> io::Result<String> {
    let path = directory.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().chars().take(64).collect()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits).map_err(io::Error::other)?;
    let id = hex::encode(bits);
    let aside = directory.join(format!("{FILE}.new"));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(id.as_bytes())?;
    file.sync_all()?;
    fs::rename(aside, path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let first = read_or_make(directory.path()).unwrap();
        assert_eq!((first.len(), &read_or_make(directory.path()).unwrap()), (32, &first));
        fs::write(directory.path().join(FILE), "").unwrap();
        assert_ne!(read_or_make(directory.path()).unwrap(), first, "a file that was cut off holds none");
        assert!(read_or_make(Path::new("/nowhere")).is_err());
    }
}
