//! Directories for one Unix user, file locks shared by that user's programs, and files that others have left.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
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

/// Opens a regular file that foreign code may have left: no symbolic link, and nothing that blocks or is a device.
///
/// # Errors
/// [`io::Error`] if it is none or cannot be read.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

/// The text of such a file, at most `most` bytes of it.
///
/// # Errors
/// As [`open_plain`].
pub fn read_plain(path: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    open_plain(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Replaces a file of this user. An existing link is replaced, not followed.
///
/// # Errors
/// [`io::Error`] if it cannot be written.
pub fn write_plain(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_is_neither_read_nor_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let (secret, link) = (dir.path().join("secret"), dir.path().join("link"));
        std::fs::write(&secret, "x").unwrap();
        symlink(&secret, &link).unwrap();
        assert!(read_plain(&link, 10).is_err());
        assert!(open_plain(dir.path()).is_err() && open_plain(Path::new("/dev/null")).is_err());
        write_plain(&link, b"y").unwrap();
        assert_eq!(
            (read_plain(&secret, 10).unwrap(), read_plain(&link, 10).unwrap()),
            ("x".to_owned(), "y".to_owned())
        );
    }
}
