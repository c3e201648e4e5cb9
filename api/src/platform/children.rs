//! Child processes that outlive this program: each runs in its own session, is identified by pid and start time, and is
//! stopped within a bounded time. Linux only: it reads `/proc`.
//!
//! Invariant: a signal reaches only the intended process, even if its pid has been reused.
//!
//! Not here: what a particular program needs to start, and children that must die with this program.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fs, io};

pub use rustix::process::Signal;
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// Identifies one process. Never equal to a later process with the same pid, also after a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pub pid: u32,
    /// The start time, in clock ticks since boot.
    started: u64,
    /// The kernel's boot id.
    boot: String,
}

impl ProcessId {
    /// The process that has this pid now. None if there is no such process, or it is a zombie.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned();
        // The name in parentheses may contain any character, so count fields from the last parenthesis: the state is
        // field 3, the start time field 22.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.parse().ok()?;
        (!matches!(state, "Z" | "X")).then_some(Self { pid, started, boot })
    }

    /// Whether this process still runs; false for a later process with the same pid.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal. Returns false if the process no longer exists.
    ///
    /// # Errors
    /// [`io::Error`] if the kernel refuses, for instance because the process belongs to another user.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let Some(handle) = self.open()? else { return Ok(false) };
        match pidfd_send_signal(&handle, signal) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits at most `at_most` until the process has ended. Returns whether it has. An adopted process is not our
    /// child, so this polls: the interval grows with the wait, up to 250 ms.
    pub async fn wait(&self, at_most: Duration) -> bool {
        let began = Instant::now();
        let ended = async {
            while self.is_alive() {
                let pause = (began.elapsed() / 10).clamp(Duration::from_millis(5), Duration::from_millis(250));
                tokio::time::sleep(pause).await;
            }
        };
        tokio::time::timeout(at_most, ended).await.is_ok()
    }

    /// Sends the signals in turn and waits after each for its duration, until the process ends. Returns whether it has.
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

    /// Opens a pidfd. The identity is compared after opening, so a pid that was reused in between is detected.
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

/// A program to start in its own session: it gets no signals from our terminal, and keeps running when we end.
#[derive(Debug)]
pub struct Detached {
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Detached {
    /// `command` is the program and its arguments; at least the program's path.
    #[must_use]
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(command: I) -> Self {
        Self { arguments: command.into_iter().map(|part| part.as_ref().to_owned()).collect(), environment: Vec::new() }
    }

    /// Sets an environment variable. Of our own environment, which holds secrets, the program gets only PATH.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Starts the program in the root directory; its output goes to `log`.
    ///
    /// # Errors
    /// [`io::Error`] if `setsid` (util-linux) is not installed, or no process can be created. A program that cannot be
    /// executed is not an error here: the log says so, and the process ends.
    pub fn spawn(self, log: File) -> io::Result<ProcessId> {
        // setsid(1) execs the program, so the pid stays the same; it would fork only if it were a process group leader.
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
        // Reaps the child if it ends before this program does.
        tokio::spawn(async move { child.wait().await });
        id.ok_or_else(|| io::Error::other("the program ended at once"))
    }
}

/// The last twelve lines of a log file after byte `since`, at most 4 KiB; empty if there is no file.
#[must_use]
pub fn log_tail(path: &Path, since: u64) -> String {
    use std::io::{Read, Seek, SeekFrom};
    const LIMIT: u64 = 4096;
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LIMIT).max(since)))?;
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let text = String::from_utf8_lossy(&read().unwrap_or_default()).trim_end().to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(12);
    lines.get(first..).unwrap_or_default().join("\n")
}

/// Opens a log for appending. A log larger than 10 MB is renamed to `*.1` first, so there are at most two files.
///
/// # Errors
/// [`io::Error`] if the file cannot be written.
pub fn open_log(path: &Path) -> io::Result<File> {
    const LIMIT: u64 = 10_000_000;
    if fs::metadata(path).is_ok_and(|found| found.len() > LIMIT) {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".1");
        fs::rename(path, aside)?;
    }
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Waits for the lock that processes take to start or stop a child. None if another process held it for `at_most`. The
/// lock is released when the file is closed, also by a crash.
///
/// # Errors
/// [`io::Error`] if the file cannot be written or locked.
pub async fn lock(path: &Path, at_most: Duration) -> io::Result<Option<File>> {
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if began.elapsed() < at_most => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// An unprivileged Unix user of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
}

impl User {
    /// The first of these names that /etc/passwd contains.
    #[must_use]
    pub fn first_of(names: &[&str]) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        names.iter().find_map(|name| Self::look_up(&passwd, name))
    }

    /// The fields of a line are name, password, uid, gid, and others.
    fn look_up(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next().filter(|found| *found == name)?;
            let (_, uid, gid) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            (uid != 0).then(|| Self { name: found.to_owned(), uid, gid })
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_users_but_never_root() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\nbad\ntoor:x:0:0::/:/\n";
        let found = User::look_up(passwd, "postgres").unwrap();
        assert_eq!((found.uid, found.gid), (101, 104));
        assert_eq!(User::look_up(passwd, "nobody"), None);
        assert_eq!(User::look_up(passwd, "bad"), None);
        assert_eq!(User::look_up(passwd, "toor"), None);
    }

    #[tokio::test]
    async fn an_ended_process_is_not_mistaken_for_one_that_reuses_its_pid() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        let later = ProcessId { started: id.started + 1, ..id.clone() };
        assert!(!later.is_alive());
        assert!(!later.signal(Signal::KILL).unwrap(), "no other process is signalled");
        assert!(id.is_alive());
        assert!(!id.wait(Duration::from_millis(30)).await);
        assert!(id.stop(&[(Signal::TERM, Duration::from_secs(5))]).await.unwrap());
        assert!(!id.is_alive(), "also before its exit status is collected");
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn what_ignores_the_first_signal_gets_the_next() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let log = open_log(&path).unwrap();
        let id = Detached::new(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]).spawn(log).unwrap();
        while log_tail(&path, 0) != "ready" {
            assert!(!id.wait(Duration::from_millis(10)).await);
        }
        let stat = fs::read_to_string(format!("/proc/{}/stat", id.pid)).unwrap();
        let session = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().nth(3).unwrap();
        assert_eq!(session, id.pid.to_string(), "it leads a session of its own");
        let steps = [(Signal::TERM, Duration::from_millis(100)), (Signal::KILL, Duration::from_secs(5))];
        assert!(id.stop(&steps).await.unwrap());
    }

    #[tokio::test]
    async fn a_lock_is_one_holder_s_until_it_lets_go() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = lock(&path, Duration::ZERO).await.unwrap().unwrap();
        assert!(lock(&path, Duration::from_millis(30)).await.unwrap().is_none());
        drop(held);
        assert!(lock(&path, Duration::ZERO).await.unwrap().is_some());
    }
}
