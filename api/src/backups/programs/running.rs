//! A program that runs.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{Prepared, Server, Task, prepare, unstarted, words};
use crate::backups::port::{BackupError, Progress, Source};
use crate::platform::command::Group;

/// After this time without a byte, a server or a network is taken for dead. Building an index takes time without one.
const STALL: Duration = Duration::from_secs(60 * 60);
/// The interval between two looks whether a byte came.
const LOOK: Duration = Duration::from_secs(60);
/// How many of the last bytes of stderr are kept.
const KEPT: usize = 8 << 10;
/// How long stderr is read after the program's end, if something else holds it open.
const LINGER: Duration = Duration::from_secs(2);

/// A program, killed with its process group when this is dropped; its private files are deleted then.
pub(in crate::backups) struct Running {
    server: Server,
    name: String,
    group: Group,
    stderr: JoinHandle<Vec<u8>>,
    password: SecretString,
    _private: tempfile::TempDir,
}

impl Running {
    /// Starts the program of this task.
    ///
    /// # Errors
    /// [`BackupError::Permanent`] if it is not installed, or has none for this kind.
    pub(in crate::backups) async fn start(task: Task, source: &Source) -> Result<Self, BackupError> {
        let server = Server::of(source.kind)?;
        let Prepared { mut command, name, private } = prepare(server, task, source)?;
        command.stderr(Stdio::piped());
        match task {
            Task::Dump | Task::Count => command.stdin(Stdio::null()).stdout(Stdio::piped()),
            Task::Load => command.stdin(Stdio::piped()).stdout(Stdio::null()),
        };
        let mut group = Group::start(command).await.map_err(|error| unstarted(&name, error))?;
        let stderr = tokio::spawn(last(group.child.stderr.take()));
        let password = source.account.password.clone();
        Ok(Self { server, name, group, stderr, password, _private: private })
    }

    /// The kind of its server.
    pub(in crate::backups) const fn server(&self) -> Server {
        self.server
    }

    /// The program's name, for messages.
    pub(in crate::backups) fn name(&self) -> &str {
        &self.name
    }

    /// What it prints, for a thread that blocks. Ends when the program does.
    ///
    /// # Errors
    /// [`BackupError::Transient`] if it has none.
    pub(in crate::backups) fn take_stdout(&mut self) -> Result<File, BackupError> {
        let stdout = self.group.child.stdout.take().ok_or_else(|| self.without("output"))?;
        stdout.into_owned_fd().map(File::from).map_err(|error| self.without(&error))
    }

    /// What it reads, for a thread that blocks.
    ///
    /// # Errors
    /// [`BackupError::Transient`] if it has none.
    pub(in crate::backups) fn take_stdin(&mut self) -> Result<File, BackupError> {
        let stdin = self.group.child.stdin.take().ok_or_else(|| self.without("input"))?;
        stdin.into_owned_fd().map(File::from).map_err(|error| self.without(&error))
    }

    fn without(&self, what: impl std::fmt::Display) -> BackupError {
        BackupError::Transient(format!("{} cannot be connected with: {what}.", self.name))
    }

    /// Awaits its end.
    ///
    /// # Errors
    /// Its words, if it failed.
    pub(in crate::backups) async fn end(mut self) -> Result<(), BackupError> {
        let status = self.group.child.wait().await.map_err(|error| self.without(error))?;
        if status.success() {
            return Ok(());
        }
        let said = timeout(LINGER, &mut self.stderr).await.ok().and_then(Result::ok).unwrap_or_default();
        if let Some(signal) = status.signal() {
            return Err(BackupError::Transient(format!("{} was ended by signal {signal}.", self.name)));
        }
        Err(words::failed(self.server, &self.name, &String::from_utf8_lossy(&said), &self.password))
    }
}

/// Awaits work beside a program, until it is stopped or no byte came for too long.
///
/// # Errors
/// [`BackupError::Cancelled`], or [`BackupError::Transient`] after [`STALL`].
pub(in crate::backups) async fn beside<T>(
    work: impl Future<Output = T>,
    progress: &Progress,
) -> Result<T, BackupError> {
    tokio::select! {
        () = progress.cancel.cancelled() => Err(BackupError::Cancelled),
        () = stalled(&progress.bytes) => {
            Err(BackupError::Transient(format!("No byte came or went within {} minutes.", STALL.as_secs() / 60)))
        }
        done = work => Ok(done),
    }
}

/// Returns when the number has not changed for [`STALL`].
async fn stalled(bytes: &AtomicU64) {
    let mut idle = Idle { seen: bytes.load(Ordering::Relaxed), looks: 0 };
    while !idle.is_stalled(bytes.load(Ordering::Relaxed)) {
        sleep(LOOK).await;
    }
}

/// How often a number was found unchanged.
struct Idle {
    seen: u64,
    looks: u32,
}

impl Idle {
    fn is_stalled(&mut self, now: u64) -> bool {
        self.looks = if now == self.seen { self.looks + 1 } else { 0 };
        self.seen = now;
        LOOK * self.looks > STALL
    }
}

/// Reads to the end and keeps the last bytes.
async fn last(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let (mut kept, Some(mut from)) = (Vec::new(), from) else { return Vec::new() };
    while let Ok(1..) = from.read_buf(&mut kept).await {
        if kept.len() > 2 * KEPT {
            kept.drain(..kept.len() - KEPT);
        }
    }
    kept.drain(..kept.len().saturating_sub(KEPT));
    kept
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_transfer_without_a_byte_is_stalled_and_a_slow_one_is_not() {
        let mut idle = Idle { seen: 0, looks: 0 };
        let looks = u64::from(u32::try_from(STALL.as_secs() / LOOK.as_secs()).unwrap());
        for look in 0..10 * looks {
            assert!(!idle.is_stalled(look / looks), "{look}");
        }
        let stalled = (0..3 * looks).position(|_| idle.is_stalled(9)).unwrap();
        assert!(u64::try_from(stalled).unwrap() <= looks, "{stalled}");
    }

    #[tokio::test]
    async fn work_ends_when_it_is_cancelled() {
        let progress = Progress::default();
        assert_eq!(beside(async { 1 }, &progress).await, Ok(1));
        progress.cancel.cancel();
        assert_eq!(beside(std::future::pending::<()>(), &progress).await, Err(BackupError::Cancelled));
    }

    #[tokio::test]
    async fn only_the_last_bytes_are_kept() {
        let long = [vec![b'x'; 100 * KEPT], b"the end".to_vec()].concat();
        let kept = last(Some(long.as_slice())).await;
        assert!(kept.len() == KEPT && kept.ends_with(b"the end"));
    }
}
