//! The entries of the cache directory. An entry is held while it is used; what has not been used for long is removed, by
//! age and by size. An entry is a directory or file; `NAME.use` beside it is locked while it is used, and says when it last
//! was; `NAME.lock` is locked while it is made; `NAME.made` says that a directory is complete.

mod clean;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use clean::{Cleaned, clean};

/// Extension of the file that says who uses an entry, and when it last was.
const USE: &str = "use";
/// Extension of the file that is locked while an entry is made.
const LOCK: &str = "lock";
/// Extension of the file that says that an entry is complete.
pub const MADE: &str = "made";

/// How large, and how old, the cache may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    /// Megabytes; 0: any.
    pub max_mb: u64,
    /// Days since the last use; 0: any.
    pub days: u32,
}

/// While this exists, the entry is not removed, by no program of this user. Dropping it, or the end of the program,
/// ends that.
#[derive(Debug)]
#[must_use = "the entry may be removed as soon as this is dropped"]
pub struct Hold {
    _locked: File,
}

/// Holds an entry, whether it exists yet or not, and notes that it is used now. Waits for a removal that has begun,
/// which takes a moment. Look whether the entry exists only afterwards.
///
/// # Errors
/// [`io::Error`] if the file beside the entry cannot be written or locked.
pub fn hold(entry: &Path) -> io::Result<Hold> {
    let file = OpenOptions::new().create(true).append(true).open(beside(entry, USE))?;
    file.lock_shared()?;
    file.set_modified(SystemTime::now())?;
    Ok(Hold { _locked: file })
}

/// `NAME.use` or `NAME.lock` of an entry `NAME` or `NAME.git`.
fn beside(entry: &Path, extension: &str) -> PathBuf {
    entry.with_extension(extension)
}

/// Whether this is a file beside an entry.
fn is_beside(path: &Path) -> bool {
    path.extension().is_some_and(|extension| [USE, LOCK, MADE].map(OsStr::new).contains(&extension))
}
