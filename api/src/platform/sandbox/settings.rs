//! What may be set about the sandbox.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;

/// Users of their own for runs: numbers that distributions and container engines do not assign.
pub const UIDS: RangeInclusive<u32> = 1_900_000_000..=1_900_000_999;

/// The settings of a [`super::Sandbox`].
#[derive(Debug, Clone)]
pub struct SandboxSettings {
    /// No walls: foreign code runs as this program's user.
    pub is_off: bool,
    /// The numbers that runs get as their user, one each, if this program is root.
    pub uids: RangeInclusive<u32>,
    /// Private networks that runs may reach.
    pub networks: Vec<IpNet>,
    /// Directories that every run may read, in addition to what it needs.
    pub readable: Vec<PathBuf>,
    /// A directory of this program, for files that must lie on a disk.
    pub state_dir: PathBuf,
    /// What each program may use.
    pub limits: RunLimits,
}

/// What one program, with all that it starts, may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Memory with temporary files, in MiB.
    pub memory_mb: u64,
    /// CPUs.
    pub cpus: u32,
    /// Processes and threads.
    pub processes: u32,
    /// What it may have written in total, in MiB.
    pub disk_mb: u64,
    /// The largest file that it may write, in MiB.
    pub file_mb: u64,
    /// Open files of each process.
    pub open_files: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { memory_mb: 4096, cpus: 4, processes: 1024, disk_mb: 8192, file_mb: 4096, open_files: 4096 }
    }
}

impl SandboxSettings {
    /// The defaults, with this directory for files.
    #[must_use]
    pub fn new(state_dir: PathBuf) -> Self {
        Self {
            is_off: false,
            uids: UIDS,
            networks: Vec::new(),
            readable: Vec::new(),
            state_dir,
            limits: RunLimits::default(),
        }
    }
}
