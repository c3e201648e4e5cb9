//! Programs that outlive this one: started in a session of their own, known again by pid and start time, and ended with
//! a bound on the wait. Linux only: it reads `/proc`.
//!
//! Invariant: a signal only ever reaches the process that was meant, however many pids were used again meanwhile.
//!
//! Not here: what a particular program needs to start, and children that must die with us.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{fs, io};

pub use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// One process, for as long as the machine runs and after: never equal to a later process with the same pid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The kernel's number for it.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did.
    started: u64,
    /// Which start of the machine that was.
    boot: String,
}

impl ProcessId {
    /// The process that has this pid now; none when there is none, or only its exit status is left.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
        // The name in parentheses may hold anything, so fields are counted from the last parenthesis: state is the third,
        // the start time the twenty-second.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(Self { pid, started, boot })
    }

    /// Whether this very process still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal; says whether there was still a process to send it to.
    ///
    /// # Errors
    /// The kernel refuses, for instance because the process is another user's.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(handle) = self.open()? else { return Ok(false) };
        match pidfd_send_signal(&handle, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until it has ended, at most so long; says whether it has. An end is seen within 20 ms: an adopted process is
    /// not our child, so nothing but a look tells.
    pub async fn wait(&self, at_most: Duration) -> bool {
        let ended = async {
            while self.is_alive() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(at_most, ended).await.is_ok()
    }

    /// Sends each signal and waits as long as it says, until the process has ended; says whether it has.
    ///
    /// # Errors
    /// As [`ProcessId::signal`].
    pub async fn stop(&self, steps: &[(Signal, Duration)]) -> io::Result<bool> {
        for &(signal, at_most) in steps {
            if !self.signal(signal)? || self.wait(at_most).await {
                return Ok(true);
            }
        }
        Ok(!self.is_alive())
    }

    /// A handle that stays with this process. The identity is compared after opening: had the pid been given to another
    /// process in between, that would be seen.
    fn open(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => Ok(self.is_alive().then_some(handle)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A program to start in a session of its own: no signal of our terminal reaches it, and it goes on when we end.
#[derive(Debug)]
pub struct Detached {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Detached {
    /// The program and its arguments; at least the program's path.
    #[must_use]
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(command: I) -> Self {
        Self { arguments: command.into_iter().map(|part| part.as_ref().to_owned()).collect(), environment: Vec::new() }
    }

    /// Sets a variable. Of our own environment, which holds secrets, it gets only PATH.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Starts it in the root directory; what it prints goes to `log`.
    ///
    /// # Errors
    /// `setsid` of util-linux is not installed, or no process can be made. A program that cannot be run is seen in the
    /// log and by its end.
    pub fn spawn(self, log: File) -> io::Result<ProcessId> {
        // setsid(1) does its work and becomes the program, so the pid stays; it would fork only as a group's leader.
        let mut command = tokio::process::Command::new("setsid");
        command.args(&self.arguments).env_clear().envs(self.environment).current_dir(Path::new("/"));
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = command.spawn().map_err(|error| {
            io::Error::new(error.kind(), format!("cannot start setsid (Debian's package util-linux): {error}"))
        })?;
        let id = child.id().and_then(ProcessId::of);
        // Takes the exit status when it ends before us.
        tokio::spawn(async move { child.wait().await });
        id.ok_or_else(|| io::Error::other("the program ended at once"))
    }
}

/// The last lines of a log file, at most 4 KiB; empty when there is no file.
#[must_use]
pub fn log_tail(path: &Path) -> String {
    use std::io::{Read, Seek, SeekFrom};
    const LIMIT: u64 = 4096;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LIMIT)))?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).trim_end().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(12);
    lines.get(first..).unwrap_or_default().join("\n")
}

/// Opens a log for appending; what grew beyond 10 MB is put aside as `*.1` first, so two files are all there ever is.
///
/// # Errors
/// The file cannot be written.
pub fn open_log(path: &Path) -> io::Result<File> {
    const LIMIT: u64 = 10_000_000;
    if fs::metadata(path).is_ok_and(|found| found.len() > LIMIT) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".1");
        fs::rename(path, aside)?;
    }
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
