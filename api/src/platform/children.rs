//! Programs that outlive this one: started in a session of their own, known again by pid and start time, and ended with
//! a bound on the wait. Linux only: it reads `/proc`.
//!
//! Invariant: a signal only ever reaches the process that was meant, however many pids were used again meanwhile.
//!
//! Not here: what a particular program needs to start, and children that must die with us.

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

    /// Waits until it has ended, at most so long; says whether it has. An adopted process is not our child, so only a look
    /// tells; looks are far apart in a long wait, but an end is seen within 250 ms.
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

/// The last twelve lines that a log file got since it was so many bytes long, at most 4 KiB; empty when there is no file.
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
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Waits for a lock among the processes that start and stop a child; none when another holds it all that time. It goes
/// when the file is closed, also by a crash.
///
/// # Errors
/// The file cannot be written or locked.
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

/// A user of this machine, never root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The id of its first group.
    pub gid: u32,
}

impl User {
    /// The first of these names that /etc/passwd has.
    #[must_use]
    pub fn first_of(names: &[&str]) -> Option<Self> {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        names.iter().find_map(|name| Self::look_up(&passwd, name))
    }

    /// A line is name, password, uid, gid, and more.
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
    async fn an_ended_process_is_told_from_whoever_has_its_pid_later() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let id = ProcessId::of(child.id()).unwrap();
        assert!(id.is_alive());
        let later = ProcessId { started: id.started + 1, ..id.clone() };
        assert!(!later.is_alive());
        assert!(!later.signal(Signal::KILL).unwrap(), "nobody else is signalled");
        assert!(id.is_alive());
        assert!(!id.wait(Duration::from_millis(30)).await);
        assert!(id.stop(&[(Signal::TERM, Duration::from_secs(5))]).await.unwrap());
        assert!(!id.is_alive(), "also while nobody has taken its exit status");
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
