//! The processes of a run: how to find, signal and await them.
//!
//! Every process of a run inherits a random mark in its environment, which no other process has. So all of them are
//! found by any process that knows the mark, even if they left their session or process group. (An `ssh` that became a
//! master connection has overwritten its environment with its title: that names its socket, in a directory that carries
//! the mark.) A process is signalled through a pidfd, opened before its mark was checked, so that a reused pid is never
//! hit.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// The environment variable that holds the mark.
pub(super) const MARK: &str = "OCIM_RUN";

/// Interval of the check whether a process is gone.
const POLL: Duration = Duration::from_millis(20);

/// Identifies the first process of a run for other programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub pid: i32,
    /// Start time, in clock ticks since boot.
    pub start_time: u64,
    /// Boot id of the host at that time.
    pub boot_id: String,
}

impl Identity {
    /// Reads the identity of a living process.
    pub(super) fn of(pid: i32) -> io::Result<Self> {
        let start_time = Stat::of(pid).ok_or_else(|| io::Error::other("the process ended at once"))?.start_time;
        Ok(Self { pid, start_time, boot_id: boot_id()? })
    }

    /// Whether this very process is alive, and not another one with its pid.
    pub(super) fn is_alive(&self) -> bool {
        boot_id().is_ok_and(|boot| boot == self.boot_id)
            && Stat::of(self.pid).is_some_and(|stat| stat.start_time == self.start_time && !stat.is_zombie)
    }
}

/// A random mark of 128 bits.
pub(super) fn new_mark() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(hex::encode(bytes))
}

/// Directory of the run's `ssh` sockets: short, because a socket's path is limited to 107 bytes, and not predictable
/// for other users.
pub(super) fn control_dir(mark: &str) -> PathBuf {
    Path::new("/tmp").join(format!("ocim-{mark}"))
}

/// Pids of the living processes that carry the mark.
pub(super) fn marked(mark: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    names.filter(|pid| has_mark(*pid, mark)).collect()
}

/// Pids of the living processes with this mark and this parent.
pub(super) fn children(parent: i32, mark: &str) -> Vec<i32> {
    marked(mark).into_iter().filter(|pid| Stat::of(*pid).is_some_and(|stat| stat.parent == parent)).collect()
}

/// Pids of the living processes with this mark that are the second ones of the innermost process namespace: the first
/// one only reaps.
pub(super) fn second_ones(mark: &str) -> Vec<i32> {
    let numbers = |pid: i32| -> Option<Vec<u32>> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
        line.split_whitespace().map(|number| number.parse().ok()).collect()
    };
    let found: Vec<_> = marked(mark).into_iter().filter_map(|pid| Some((pid, numbers(pid)?))).collect();
    let depth = found.iter().map(|(_, numbers)| numbers.len()).max().unwrap_or_default();
    let is_second = |numbers: &[u32]| numbers.len() == depth && numbers.last() == Some(&2);
    found.into_iter().filter(|(_, numbers)| is_second(numbers)).map(|(pid, _)| pid).collect()
}

/// Sends a signal to one process if it carries the mark.
pub(super) fn signal(pid: i32, mark: &str, signal: Signal) {
    let Some(number) = Pid::from_raw(pid) else { return };
    let Ok(descriptor) = pidfd_open(number, PidfdFlags::empty()) else { return };
    if has_mark(pid, mark) {
        // An error means that it has ended already, which is fine.
        let _ = pidfd_send_signal(&descriptor, signal);
    }
}

/// Kills all processes with the mark, except `spare`.
pub(super) fn kill_marked(mark: &str, spare: Option<i32>) {
    for pid in marked(mark) {
        if Some(pid) != spare {
            signal(pid, mark, Signal::KILL);
        }
    }
}

/// Kills all processes with the mark and waits until none is left. Gives the number found at first.
///
/// # Errors
/// An I/O error if one of them is still alive after `limit`.
pub(super) async fn end_marked(mark: &str, limit: Duration) -> io::Result<usize> {
    let deadline = Instant::now() + limit;
    let before = marked(mark).len();
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return Ok(before);
        }
        if Instant::now() >= deadline {
            return Err(io::Error::other(format!("processes {left:?} of the run do not end")));
        }
        kill_marked(mark, None);
        sleep(POLL).await;
    }
}

/// False for a zombie, which has neither environment nor arguments any more.
fn has_mark(pid: i32, mark: &str) -> bool {
    let (variable, dir) = (format!("{MARK}={mark}"), control_dir(mark));
    let holds = |file: &str, words: &[u8]| {
        fs::read(format!("/proc/{pid}/{file}")).is_ok_and(|text| text.windows(words.len()).any(|part| part == words))
    };
    holds("environ", variable.as_bytes()) || holds("cmdline", dir.as_os_str().as_bytes())
}

fn boot_id() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// The needed fields of `/proc/{pid}/stat`.
struct Stat {
    is_zombie: bool,
    parent: i32,
    start_time: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field is the program's name in brackets, and may hold any character.
        let mut fields = text.rsplit_once(") ")?.1.split(' ');
        let state = fields.next()?;
        let parent = fields.next()?.parse().ok()?;
        let start_time = fields.nth(17)?.parse().ok()?;
        Some(Self { is_zombie: matches!(state, "Z" | "X"), parent, start_time })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn knows_a_process_by_more_than_its_number() {
        let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(me.is_alive());
        assert!(!Identity { start_time: me.start_time + 1, ..me.clone() }.is_alive());
        assert!(!Identity { boot_id: "another boot".to_owned(), ..me }.is_alive());
    }

    #[tokio::test]
    async fn ends_exactly_the_marked() {
        let sleeper = |mark: &str| {
            let mut command = tokio::process::Command::new("sleep");
            command.arg("300").env(MARK, mark).kill_on_drop(true);
            command.spawn().unwrap()
        };
        let (ours, theirs) = (new_mark().unwrap(), new_mark().unwrap());
        let (mut one, other) = (sleeper(&ours), sleeper(&theirs));
        while marked(&ours).is_empty() || marked(&theirs).is_empty() {
            sleep(POLL).await;
        }
        assert_eq!(end_marked(&ours, Duration::from_secs(5)).await.unwrap(), 1);
        assert!(!one.wait().await.unwrap().success());
        assert_eq!(marked(&theirs), [i32::try_from(other.id().unwrap()).unwrap()]);
        assert_eq!(end_marked(&ours, Duration::from_secs(5)).await.unwrap(), 0);
    }
}
