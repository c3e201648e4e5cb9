//! Watches what a program writes, which no file system limits here.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use super::trees;

/// How often it is measured.
const INTERVAL: Duration = Duration::from_secs(2);

/// The disk is as good as full below this, in MiB: the database may be on it.
const LEFT_MB: u64 = 256;

/// What is measured, and the limit for all of it together.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) paths: Vec<PathBuf>,
    pub(super) limit_mb: u64,
}

impl Watch {
    /// Returns, with the reason in words, once the program must be ended.
    pub(super) async fn exceeded(&self) -> String {
        loop {
            sleep(INTERVAL).await;
            let (watch, measured) = (self.clone(), tokio::task::spawn_blocking);
            if let Ok(Some(words)) = measured(move || watch.look()).await {
                return words;
            }
        }
    }

    fn look(&self) -> Option<String> {
        let mut total = 0_u64;
        for path in &self.paths {
            match trees::size(path) {
                Ok(bytes) => total = total.saturating_add(bytes),
                Err(error) if is_passing(&error) => {}
                Err(error) => return Some(format!("what it wrote cannot be measured: {error}")),
            }
        }
        if total >> 20 >= self.limit_mb {
            let limit = self.limit_mb;
            return Some(format!("it wrote more than {limit} MB (OCIM_RUN_DISK_MB) and was ended"));
        }
        let left = self.paths.iter().filter_map(|path| free(path)).min()?;
        let words =
            || format!("the disk it wrote to has less than {LEFT_MB} MB left, so it was ended: free some space");
        (left >> 20 < LEFT_MB).then(words)
    }
}

/// Something was removed, or a directory closed, while it was read.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
}

/// The bytes that are left on a disk.
fn free(path: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(path).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn more_than_the_limit_is_told_in_words() {
        let dir = tempfile::tempdir().unwrap();
        let watch = Watch { paths: vec![dir.path().to_owned(), dir.path().join("none")], limit_mb: 1 };
        assert_eq!(watch.look(), None);
        std::fs::write(dir.path().join("file"), vec![1; 2 << 20]).unwrap();
        assert!(watch.look().unwrap().contains("more than 1 MB (OCIM_RUN_DISK_MB)"));
    }
}
