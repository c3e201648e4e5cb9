//! Groups of processes that share limits on memory, processes, CPU and disk: control groups of Linux.
//!
//! The unified hierarchy (v2) is the way to run this: the groups are below the process' own group, which must have been
//! delegated to it (`Delegate=yes` in a systemd unit, or a container with a writable hierarchy). Where the controllers are
//! mounted one by one (v1), the groups are at the root of each. Elsewhere there are none. What cannot be limited is said
//! in words ([`Lost`]) and prevents nothing.
//!
//! The unified hierarchy has never been tried with this code on a real host: the hosts that test it have v1.
//!
//! A group's path has the owner's id, so two data directories on one host never meet. A group outlives the process that
//! made it; [`Cgroups::sweep`] removes the unused ones.

mod limits;
mod place;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

pub use self::limits::{Limits, Lost};
use self::place::Place;

/// Characters of an owner's id in the path.
const OWNER_LENGTH: usize = 16;
/// How often a group is tried to be made.
const ATTEMPTS: usize = 3;
/// Interval of the attempts to empty and remove a group.
const POLL: Duration = Duration::from_millis(10);

/// The groups of one owner.
#[derive(Debug, Clone)]
pub struct Cgroups {
    place: Place,
    owner: String,
}

/// What happened in a group since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hits {
    /// Processes that the kernel killed because the group had no memory left. Of an old kernel that does not count
    /// them: how often the limit was met.
    pub memory_kills: u64,
    /// Processes that were not created because the group had too many. Always 0 on kernels that do not count them.
    pub refused_processes: u64,
}

impl Cgroups {
    /// Finds the usable hierarchy. `owner` is the id of an installation or data directory; of it, letters and digits count.
    ///
    /// With v2, this may move all processes of our own group into a group `manager` below it, since a group with
    /// processes cannot pass controllers on.
    #[must_use]
    pub fn find(owner: &str) -> Self {
        let owner: String = owner.chars().filter(char::is_ascii_alphanumeric).take(OWNER_LENGTH).collect();
        Self { place: Place::find(), owner: format!("ocim-{}", owner.to_ascii_lowercase()) }
    }

    /// In words: which hierarchy it is, or why there is none.
    #[must_use]
    pub fn describe(&self) -> String {
        self.place.describe()
    }

    /// Which of these limits cannot be set on this host.
    #[must_use]
    pub fn lost(&self, limits: &Limits) -> Vec<Lost> {
        limits::lost(&self.place, limits)
    }

    /// Makes a group, or sets the limits of an existing one. `name` may have letters, digits and hyphens.
    ///
    /// # Errors
    /// [`io::Error`] if the name is refused or the kernel refuses a group or a limit that it supports.
    pub fn make(&self, name: &str, limits: &Limits) -> io::Result<Group> {
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(io::Error::new(ErrorKind::InvalidInput, format!("{name:?} is no name of a group")));
        }
        let group = self.group(name);
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.make_dirs(&group, limits) {
                // Another process has just removed the owner's directory, which was empty.
                Err(error) if error.kind() == ErrorKind::NotFound && attempts < ATTEMPTS => {}
                result => return result.map(|()| group),
            }
        }
    }

    fn make_dirs(&self, group: &Group, limits: &Limits) -> io::Result<()> {
        self.place.prepare(&self.owner)?;
        group.dirs.iter().try_for_each(|(controller, dir)| {
            make_dir(dir)?;
            limits::set(*controller, dir, limits)
        })
    }

    /// The group of this name, which need not exist.
    #[must_use]
    pub fn group(&self, name: &str) -> Group {
        let below = Path::new(&self.owner).join(name);
        Group { dirs: self.place.roots().into_iter().map(|(kind, root)| (kind, root.join(&below))).collect() }
    }

    /// Removes the owner's groups that have no process and that `is_needed` does not name, and the owner's directory if
    /// no group is left. Gives the names of the removed ones.
    pub fn sweep(&self, is_needed: impl Fn(&str) -> bool) -> Vec<String> {
        let mut removed = Vec::new();
        for (_, root) in self.place.roots() {
            let Ok(entries) = fs::read_dir(root.join(&self.owner)) else { continue };
            for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
                let name = entry.file_name().to_string_lossy().into_owned();
                // The kernel refuses to remove a group with processes.
                if !is_needed(&name) && fs::remove_dir(entry.path()).is_ok() && !removed.contains(&name) {
                    removed.push(name);
                }
            }
            // Fails while there are groups in it.
            let _ = fs::remove_dir(root.join(&self.owner));
        }
        removed
    }
}

/// Which controllers a directory is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Controller {
    /// All of them: v2.
    Unified,
    Memory,
    Processes,
    Cpu,
    Io,
}

/// A group of processes. Can be stored, and is then the same group for another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    dirs: Vec<(Controller, PathBuf)>,
}

impl Group {
    /// The files that a process writes `0` into to join, before it starts anything else. None if the host has no groups.
    #[must_use]
    pub fn joins(&self) -> Vec<PathBuf> {
        self.dirs.iter().map(|(_, dir)| dir.join("cgroup.procs")).collect()
    }

    /// Moves a process into the group. Its children that exist already stay where they are.
    ///
    /// # Errors
    /// [`io::Error`] if there is no such process or the kernel refuses.
    pub fn add(&self, pid: u32) -> io::Result<()> {
        self.joins().iter().try_for_each(|file| fs::write(file, pid.to_string()))
    }

    /// The processes in it, as far as this process sees them.
    #[must_use]
    pub fn members(&self) -> Vec<u32> {
        let mut pids: Vec<u32> = self.dirs.iter().flat_map(|(_, dir)| members_of(dir)).collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    /// Whether its directories exist.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.dirs.iter().any(|(_, dir)| dir.exists())
    }

    /// Sends SIGKILL to every process in it, and lets no new ones begin.
    pub fn kill(&self) {
        for (controller, dir) in &self.dirs {
            // Exists since Linux 5.14; also ends what forks meanwhile.
            if *controller == Controller::Unified && fs::write(dir.join("cgroup.kill"), "1").is_ok() {
                continue;
            }
            if matches!(controller, Controller::Unified | Controller::Processes) {
                let _ = fs::write(dir.join("pids.max"), "0");
            }
            for pid in members_of(dir) {
                kill_member(dir, pid);
            }
        }
    }

    /// Kills every process in it and removes it. A group that does not exist is no error.
    ///
    /// # Errors
    /// [`io::Error`] if it could not be removed within `at_most`: a process hangs in the kernel.
    pub async fn end(&self, at_most: Duration) -> io::Result<()> {
        let began = Instant::now();
        loop {
            self.kill();
            match self.remove() {
                Ok(()) => return Ok(()),
                Err(error) if began.elapsed() >= at_most => return Err(error),
                Err(_busy) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Removes the group, which must be empty.
    ///
    /// # Errors
    /// [`io::Error`] if it has processes.
    pub fn remove(&self) -> io::Result<()> {
        for (_, dir) in &self.dirs {
            match fs::remove_dir(dir) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
            // The owner's directory goes with the last group; while there are others, this fails.
            if let Some(owner) = dir.parent() {
                let _ = fs::remove_dir(owner);
            }
        }
        Ok(())
    }

    /// What happened in it; zeros where the host does not count.
    #[must_use]
    pub fn hits(&self) -> Hits {
        let mut hits = Hits::default();
        for (controller, dir) in &self.dirs {
            match controller {
                Controller::Unified => {
                    hits.memory_kills = counted(dir, "memory.events", "oom_kill").unwrap_or_default();
                    hits.refused_processes = counted(dir, "pids.events", "max").unwrap_or_default();
                }
                Controller::Memory => {
                    hits.memory_kills = counted(dir, "memory.oom_control", "oom_kill")
                        .or_else(|| read_number(&dir.join("memory.failcnt")))
                        .unwrap_or_default();
                }
                Controller::Processes => {
                    hits.refused_processes = counted(dir, "pids.events", "max").unwrap_or_default();
                }
                Controller::Cpu | Controller::Io => {}
            }
        }
        hits
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", dir.display()))),
    }
}

fn members_of(dir: &Path) -> Vec<u32> {
    let list = fs::read_to_string(dir.join("cgroup.procs")).unwrap_or_default();
    // 0 stands for a process that this one's pid namespace does not show.
    list.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid != 0).collect()
}

/// Kills a member, and no later process that has its pid: membership is checked after the descriptor is open.
fn kill_member(dir: &Path, pid: u32) {
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(descriptor) = pidfd_open(process, PidfdFlags::empty()) else { return };
    if members_of(dir).contains(&pid) {
        // Fails if it has ended.
        let _ = pidfd_send_signal(&descriptor, Signal::KILL);
    }
}

/// A value of a file with lines `name value`.
fn counted(dir: &Path, file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(dir.join(file)).ok()?;
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
