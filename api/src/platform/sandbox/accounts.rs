//! A user of its own for each run: a number of the settings' range that no other run of this host has meanwhile.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::platform::command::CommandError;
use crate::platform::files::private_dir;
use crate::platform::removal::remove_tree;

/// Interval of the check whether processes have ended.
const POLL: Duration = Duration::from_millis(10);
/// The directory of the files of runs.
const CELLS: &str = "cells";
/// The directory of their large temporary files.
pub(super) const SCRATCH: &str = "scratch";

/// The user of a run, until this is dropped. Several programs of the run may have it at once.
#[derive(Debug)]
pub struct Account {
    /// None: the programs have the user of this program, which is not root.
    uid: Option<u32>,
    /// A directory of this user's runs.
    dir: PathBuf,
    count: AtomicU64,
    /// Held until then.
    _lock: Option<File>,
}

impl Account {
    /// Takes a free number.
    pub(super) fn take(uids: &RangeInclusive<u32>, state: &Path) -> Result<Self, CommandError> {
        let first = start(uids)?;
        for uid in (first..=*uids.end()).chain(*uids.start()..first) {
            if let Some(account) = Self::of(uid, state)? {
                return Ok(account);
            }
        }
        let (start, end) = (uids.start(), uids.end());
        Err(CommandError::System(format!(
            "all users {start}-{end} for runs are in use: give OCIM_SANDBOX_UIDS a larger range"
        )))
    }

    /// Takes this number; none if a run has it. Ends what an earlier run, whose manager was killed, has left of it.
    fn of(uid: u32, state: &Path) -> Result<Option<Self>, CommandError> {
        let Some(lock) = lock(uid, state)? else { return Ok(None) };
        let account = Self { uid: Some(uid), dir: dir(state, &uid.to_string())?, count: 0.into(), _lock: Some(lock) };
        account.end_all();
        Ok(Some(account))
    }

    /// This program's own user, which is not root.
    pub(super) fn own(state: &Path) -> Result<Self, CommandError> {
        let name = format!("own-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(Self { uid: None, dir: dir(state, &name)?, count: 0.into(), _lock: None })
    }

    /// The user's number; none: this program's own.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// The name of the directories of this user's runs, which no other account has at the same time.
    pub(super) fn name(&self) -> &OsStr {
        self.dir.file_name().unwrap_or_default()
    }

    /// Waits until the user has no process. False: it still has one after this time.
    pub(super) async fn has_ended(&self, limit: Duration) -> bool {
        let Some(uid) = self.uid else { return true };
        let until = Instant::now() + limit;
        while !processes_of(uid).is_empty() {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(POLL).await;
        }
        true
    }

    /// A new directory for the files of one program, and its number.
    pub(super) fn program_dir(&self) -> Result<(u64, PathBuf), CommandError> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let dir = self.dir.join(number.to_string());
        private_dir(&dir).map_err(|error| failed_at(&dir, &error))?;
        Ok((number, dir))
    }

    /// Kills every process of the user, which has no other than those of this run.
    pub(super) fn end_all(&self) {
        let Some(uid) = self.uid else { return };
        for pid in processes_of(uid) {
            let Some(number) = Pid::from_raw(pid) else { continue };
            let Ok(descriptor) = pidfd_open(number, PidfdFlags::empty()) else { continue };
            if is_of(pid, uid) {
                // Fails if it has ended meanwhile.
                let _ = pidfd_send_signal(&descriptor, Signal::KILL);
            }
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.end_all();
        // What is left is removed by the next one with this number.
        let _ = remove_tree(&self.dir);
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Ends and removes what runs have left whose manager was killed. `state`: the directory of the accounts; `disk`: that of
/// large temporary files.
pub(super) fn sweep(state: &Path, disk: &Path) {
    for dir in [state.join(CELLS), disk.join(SCRATCH)] {
        let Ok(entries) = fs::read_dir(dir) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Taken for as long as its files are removed.
            let account = name.parse().ok().and_then(|uid| Account::of(uid, state).ok().flatten());
            let pid = name.strip_prefix("own-").and_then(|rest| rest.split('-').next());
            if account.is_some() || pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                drop(remove_tree(&entry.path()));
            }
        }
    }
}

/// Whether a run has this user now.
pub(super) fn is_taken(uid: u32, state: &Path) -> bool {
    !matches!(lock(uid, state), Ok(Some(_)))
}

/// The lock of a user; none if a run has it.
fn lock(uid: u32, state: &Path) -> Result<Option<File>, CommandError> {
    let locks = state.join("uids");
    private_dir(&locks).map_err(|error| failed_at(&locks, &error))?;
    let path = locks.join(uid.to_string());
    let lock = File::create(&path).map_err(|error| failed_at(&path, &error))?;
    Ok(lock.try_lock().is_ok().then_some(lock))
}

fn start(uids: &RangeInclusive<u32>) -> Result<u32, CommandError> {
    let mut bytes = [0_u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| CommandError::System(error.to_string()))?;
    let count = uids.end().saturating_sub(*uids.start()).saturating_add(1).max(1);
    Ok(uids.start() + u32::from_ne_bytes(bytes) % count)
}

/// The directory of a user's runs, empty.
fn dir(state: &Path, name: &str) -> Result<PathBuf, CommandError> {
    let dir = state.join(CELLS).join(name);
    remove_tree(&dir).and_then(|()| private_dir(&dir)).map_err(|error| failed_at(&dir, &error))?;
    Ok(dir)
}

pub(super) fn processes_of(uid: u32) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_of(*pid, uid)).collect()
}

fn is_of(pid: i32, uid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|line| line.split_whitespace().next()) == Some(uid.to_string().as_str())
}

pub(super) fn failed_at(path: &Path, error: &io::Error) -> CommandError {
    CommandError::System(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn no_two_runs_have_one_user() {
        let dir = tempfile::tempdir().unwrap();
        let uids = 1_900_001_000..=1_900_001_001;
        let first = Account::take(&uids, dir.path()).unwrap();
        let second = Account::take(&uids, dir.path()).unwrap();
        assert_ne!(first.uid(), second.uid());
        let error = Account::take(&uids, dir.path()).unwrap_err().to_string();
        assert!(error.contains("OCIM_SANDBOX_UIDS"), "{error}");
        drop(first);
        assert!(Account::take(&uids, dir.path()).is_ok());
    }
}
