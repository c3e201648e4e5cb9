//! Watches what a program writes, which no file system limits here.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::accounts::processes_of;
use super::trees;
use crate::platform::command::CommandError;

/// How often it is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// The disk is as good as full below this, in MiB: the database may be on it.
const LEFT_MB: u64 = 256;

/// The same for files and directories, however small they are.
const LEFT_FILES: u64 = 10_000;

/// What is measured, and the limit for all of it together.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) paths: Vec<PathBuf>,
    /// The user of the program, if it has one of its own.
    pub(super) uid: Option<u32>,
    pub(super) limit_mb: u64,
    /// How much there was before the program started, in bytes.
    pub(super) before: u64,
}

/// The bytes of all these trees together, measured in a thread of its own; 0 for what cannot be measured.
pub(super) async fn sizes(paths: Vec<PathBuf>) -> u64 {
    let sum = move || paths.iter().filter_map(|path| trees::size(path).ok()).sum();
    tokio::task::spawn_blocking(sum).await.unwrap_or_default()
}

impl Watch {
    /// Returns, with the reason, once the program must be ended.
    pub(super) async fn exceeded(&self) -> CommandError {
        loop {
            sleep(INTERVAL).await;
            let (watch, measured) = (self.clone(), tokio::task::spawn_blocking);
            if let Ok(Err(error)) = measured(move || watch.look()).await {
                return error;
            }
        }
    }

    fn look(&self) -> Result<(), CommandError> {
        let mut total = self.uid.map_or(0, |uid| held(uid, &self.paths));
        for path in &self.paths {
            let size = trees::size(path);
            total = total.saturating_add(size.map_err(|error| {
                CommandError::Limit(format!("what it wrote to {} cannot be measured: {error}", path.display()))
            })?);
        }
        if total.saturating_sub(self.before) >> 20 >= self.limit_mb {
            let limit = self.limit_mb;
            return Err(CommandError::Limit(format!("it wrote more than {limit} MB (OCIM_RUN_DISK_MB) and was ended")));
        }
        match self.paths.iter().find_map(|path| full(path)) {
            // It may go better when there is space again.
            Some(words) => Err(CommandError::System(words)),
            None => Ok(()),
        }
    }
}

/// Files that the user's processes hold open, and that are in no directory any more, on the disks of these paths: in bytes.
fn held(uid: u32, paths: &[PathBuf]) -> u64 {
    let disks: Vec<u64> = paths.iter().filter_map(|path| Some(fs::metadata(path).ok()?.dev())).collect();
    let mut found = BTreeMap::new();
    for pid in processes_of(uid) {
        // The process may end meanwhile.
        for entry in fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
            let Ok(file) = fs::metadata(entry.path()) else { continue };
            if file.nlink() == 0 && file.is_file() && disks.contains(&file.dev()) {
                found.insert((file.dev(), file.ino()), file.blocks().saturating_mul(trees::BLOCK));
            }
        }
    }
    found.values().sum()
}

/// Why the disk of a path is as good as full; none if it is not.
fn full(path: &Path) -> Option<String> {
    let found = rustix::fs::statvfs(path).ok()?;
    let bytes = found.f_bavail.saturating_mul(found.f_frsize);
    if bytes >> 20 < LEFT_MB {
        return Some(format!("the disk it wrote to has less than {LEFT_MB} MB left, so it was ended: free some space"));
    }
    // Some file systems do not count files.
    (found.f_files > 0 && found.f_favail < LEFT_FILES).then(|| {
        format!("the disk it wrote to has room for less than {LEFT_FILES} files, so it was ended: remove some files")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    async fn watch(dir: &Path) -> Watch {
        let paths = vec![dir.to_owned(), dir.join("none")];
        Watch { before: sizes(paths.clone()).await, paths, uid: None, limit_mb: 1 }
    }

    #[tokio::test]
    async fn more_than_the_limit_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("of before"), vec![1; 2 << 20]).unwrap();
        let watch = watch(dir.path()).await;
        watch.look().unwrap();
        fs::write(dir.path().join("file"), vec![1; 2 << 20]).unwrap();
        let error = watch.look().unwrap_err();
        assert!(error.to_string().contains("more than 1 MB (OCIM_RUN_DISK_MB)"), "{error}");
    }

    #[tokio::test]
    async fn empty_files_count_too() {
        let dir = tempfile::tempdir().unwrap();
        let watch = watch(dir.path()).await;
        (0..300).for_each(|number| fs::write(dir.path().join(number.to_string()), "").unwrap());
        assert!(watch.look().is_err());
    }

    #[test]
    fn a_file_that_is_in_no_directory_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, vec![1; 2 << 20]).unwrap();
        let _open = fs::File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert!(held(uid, &[dir.path().to_owned()]) >= 2 << 20);
        assert_eq!(held(uid, &[]), 0);
    }
}
