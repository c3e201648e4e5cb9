//! Finds a machine's init from any process: its `boot` file, written by the start script, has pid, start time and the
//! host's boot id. The machine runs if all three still agree with the kernel.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::time::timeout;

use super::error::LocalError;

/// Time for the services to end; runit kills the rest after 7 s of stage 2 and our stage 3.
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// Interval of the stop signal (runit receives it only once it is up) and of the check.
const STOP_POLL: Duration = Duration::from_millis(50);
/// Time for the kernel to end every process of the machine.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The init (pid 1) of a running machine.
#[derive(Debug)]
pub(super) struct Init {
    pid: Pid,
    pidfd: Arc<OwnedFd>,
}

/// Whether the machine in this directory runs.
pub(super) fn is_running(machine_dir: &Path) -> bool {
    read_boot_file(machine_dir).is_some_and(|booted| booted.is_alive())
}

impl Init {
    /// The init of the machine in this directory; none when it does not run.
    pub(super) fn find(machine_dir: &Path) -> Result<Option<Self>, LocalError> {
        let Some(booted) = read_boot_file(machine_dir) else { return Ok(None) };
        let Some(pid) = Pid::from_raw(booted.pid) else { return Ok(None) };
        let Ok(pidfd) = pidfd_open(pid, PidfdFlags::NONBLOCK) else { return Ok(None) };
        // Checked after the descriptor is open: from here on it refers to this process and no other.
        if !booted.is_alive() {
            return Ok(None);
        }
        Ok(Some(Self { pid, pidfd: Arc::new(pidfd) }))
    }

    /// Ends the services, waiting at most 15 s for a clean stop, then kills the machine.
    pub(super) async fn stop(self, machine: &str) -> Result<(), LocalError> {
        let asked = timeout(STOP_LIMIT, self.ask_to_stop()).await;
        match asked {
            Ok(result) => result?,
            Err(_elapsed) => tracing::warn!(machine, "the machine's services did not end in time; they are killed"),
        }
        self.kill(machine).await
    }

    /// Kills the init, with which the kernel kills every process of the machine, and returns when they are gone.
    pub(super) async fn kill(self, machine: &str) -> Result<(), LocalError> {
        // ESRCH: it has ended already.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        if self.has_ended_within(KILL_LIMIT).await? { Ok(()) } else { Err(LocalError::WillNotDie(machine.to_owned())) }
    }

    /// Returns when the services have ended: stage 3 of the base tree then creates the file.
    async fn ask_to_stop(&self) -> Result<(), LocalError> {
        let halted = PathBuf::from(format!("/proc/{}/root/run/halted", self.pid.as_raw_nonzero()));
        while fs::symlink_metadata(&halted).is_err() {
            let was_heard = pidfd_send_signal(&self.pidfd, Signal::CONT).is_ok();
            if !was_heard || self.has_ended_within(STOP_POLL).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Waits for the end of the process: its pidfd becomes readable.
    async fn has_ended_within(&self, limit: Duration) -> Result<bool, LocalError> {
        let pidfd = Arc::clone(&self.pidfd);
        let wait = move || {
            let limit = Timespec::try_from(limit).ok();
            retry_on_intr(|| poll(&mut [PollFd::new(&*pidfd, PollFlags::IN)], limit.as_ref()))
                .map_err(std::io::Error::from)
        };
        let ready = tokio::task::spawn_blocking(wait).await.map_err(std::io::Error::other).and_then(|ready| ready);
        Ok(ready.map_err(LocalError::io("pidfd"))? > 0)
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Booted {
    pid: i32,
    start_time: u64,
    boot_id: String,
}

impl Booted {
    fn is_alive(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        start_time_of_living(&stat) == Some(self.start_time) && host_boot_id() == self.boot_id
    }
}

/// None until the start script has written the whole line.
fn read_boot_file(machine_dir: &Path) -> Option<Booted> {
    parse_boot_file(&fs::read_to_string(machine_dir.join("boot")).ok()?)
}

fn parse_boot_file(text: &str) -> Option<Booted> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let (pid, start_time) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Booted { pid, start_time, boot_id: words.next()?.to_owned() })
}

/// Field 22 of proc_pid_stat(5), in clock ticks since the host's boot; none for a zombie. Fields are counted from
/// behind the name, which may hold spaces and parentheses.
fn start_time_of_living(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    let state = fields.next()?;
    let start_time = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(start_time)
}

fn host_boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_boot_file_counts_when_it_is_whole() {
        let booted = parse_boot_file("3261 188972 b0-0t\n").unwrap();
        assert_eq!(booted, Booted { pid: 3261, start_time: 188_972, boot_id: "b0-0t".into() });
        for text in ["", "3261", "3261 188972 b0-0t", "x y z\n", "3261 188972\n"] {
            assert_eq!(parse_boot_file(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_process_is_alive_by_its_start_time() {
        let stat =
            |state: &str| format!("7 (a) b) {state} 1 7 7 0 -1 4194560 79 0 0 0 0 0 0 0 20 0 1 0 183430 2654208");
        assert_eq!(start_time_of_living(&stat("S")), Some(183_430));
        assert_eq!(start_time_of_living(&stat("Z")), None);
        assert_eq!(start_time_of_living(""), None);
    }

    #[test]
    fn this_process_is_alive_and_a_later_one_with_its_pid_would_not_be_it() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let stat = fs::read_to_string("/proc/self/stat").unwrap();
        let start_time = start_time_of_living(&stat).unwrap();
        let booted = Booted { pid, start_time, boot_id: host_boot_id() };
        assert!(booted.is_alive());
        assert!(!Booted { start_time: start_time + 1, ..booted }.is_alive());
    }
}
