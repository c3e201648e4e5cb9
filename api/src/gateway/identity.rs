//! The id of a gateway's host, by which the servers know an agent that was started again from one on another host.

use std::fs;
use std::io;
use std::path::Path;

use crate::platform::files;

const FILE: &str = "agent";
/// The longest id, in bytes.
const LONGEST: u64 = 64;

/// Reads the id from the gateway's directory, or makes one.
///
/// # Errors
/// An I/O error of the file.
pub(super) fn read_or_make(directory: &Path) -> io::Result<String> {
    let path = directory.join(FILE);
    match files::read_plain(&path, LONGEST) {
        Ok(id) if !id.is_empty() => return Ok(id),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits).map_err(io::Error::other)?;
    let id = hex::encode(bits);
    let aside = directory.join(format!("{FILE}.new"));
    files::write_plain(&aside, id.as_bytes())?;
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
