//! What a program is given.

use std::path::{Path, PathBuf};

use super::network::Network;

/// What a program may see, write and reach. Everything else of the host is invisible to it. Paths are absolute, and lie
/// in directories that no run can write to.
#[derive(Debug, Clone, Default)]
pub struct Wall {
    pub(super) work_dir: PathBuf,
    pub(super) shown: Vec<PathBuf>,
    pub(super) written: Vec<PathBuf>,
    /// Files, and where they are seen.
    pub(super) copied: Vec<(PathBuf, PathBuf)>,
    pub(super) watched: Vec<PathBuf>,
    pub(super) network: Network,
    pub(super) has_scratch: bool,
    pub(super) tmp_dir: Option<PathBuf>,
}

impl Wall {
    /// A wall around a program with this working directory, which must be visible or `/tmp`.
    #[must_use]
    pub fn new(work_dir: impl Into<PathBuf>) -> Self {
        Self { work_dir: work_dir.into(), ..Self::default() }
    }

    /// Shows a directory or file that every user can read, read-only.
    #[must_use]
    pub fn show(mut self, path: impl Into<PathBuf>) -> Self {
        self.shown.push(path.into());
        self
    }

    /// Shows several.
    #[must_use]
    pub fn show_all(mut self, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        self.shown.extend(paths);
        self
    }

    /// Shows a directory of this program that the run may write to. It belongs to the run's user from now on: see
    /// [`super::take_back`].
    #[must_use]
    pub fn write(mut self, path: impl Into<PathBuf>) -> Self {
        self.written.push(path.into());
        self
    }

    /// Shows a copy of a file that only this program's user can read, such as a private key.
    #[must_use]
    pub fn copy(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.copy_to(path.clone(), path)
    }

    /// The same, at another path, so that where it is kept is not told.
    #[must_use]
    pub fn copy_to(mut self, path: impl Into<PathBuf>, at: impl Into<PathBuf>) -> Self {
        self.copied.push((path.into(), at.into()));
        self
    }

    /// Counts a file that the program writes by a descriptor, and which it does not see.
    #[must_use]
    pub fn watch(mut self, path: &Path) -> Self {
        self.watched.push(path.to_owned());
        self
    }

    /// What it may reach.
    #[must_use]
    pub fn reach(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// `/tmp` is on the disk, and not in memory: for programs with large temporary files.
    #[must_use]
    pub fn with_scratch(mut self) -> Self {
        self.has_scratch = true;
        self
    }

    /// Makes an empty private directory in `/tmp`, for sockets.
    #[must_use]
    pub fn with_tmp_dir(mut self, path: PathBuf) -> Self {
        self.tmp_dir = Some(path);
        self
    }
}
