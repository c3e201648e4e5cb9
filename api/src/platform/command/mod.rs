//! Short-lived external programs: with a clean environment, a time limit and bounded output; they die with this program.
//! Those that touch foreign content, such as `git` and `pip`, get their command from `platform/sandbox`. Not here: playbooks, which outlast a database connection (`ansible/runner.rs`).

mod spawner;

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

pub use spawner::spawn;

/// How many bytes of a program's stdout, and of its stderr, are kept.
pub const OUTPUT_LIMIT: u64 = 1 << 20;

/// How long output is read after a program has ended, if something that it has left holds it open.
const LINGER: Duration = Duration::from_secs(2);

/// Variables that every program inherits.
const PASSED_ON: &[&str] = &["HOME", "PATH"];

/// Why a program did not finish. A non-zero exit status is not an error: see [`Output::success`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `setpriv`, which starts every program, is not installed.
    #[error("the program `setpriv` is missing: install util-linux")]
    NoSetpriv,
    /// The operating system's message; may be transient.
    #[error("{0}")]
    System(String),
    /// The program took longer than this limit.
    #[error("it took longer than {} s and was ended", .0.as_secs())]
    TimeLimit(Duration),
    /// It used more than it may, in words.
    #[error("{0}")]
    Limit(String),
    /// This host has no sandbox for it, in words with the remedy.
    #[error("{0}")]
    NoSandbox(String),
    /// The cancellation token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// Whether the exit status is 0.
    pub success: bool,
    /// The exit status; none if a signal ended the program.
    pub code: Option<i32>,
    /// At most [`OUTPUT_LIMIT`] bytes, or the limit given to [`capture_up_to`].
    pub stdout: String,
    /// The same limit applies as for stdout.
    pub stderr: String,
}

/// A command in its own process group with a clean environment; the kernel kills it when this program dies. For programs
/// that touch nothing foreign: others are started behind a wall (`platform/sandbox`).
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = bare("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// A command in its own process group without an environment, killed when it is dropped. Not by the death of this
/// program: what it starts must see to that.
pub fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    command
}

/// Runs a short command and returns what it prints.
///
/// # Errors
/// [`CommandError`] if the program cannot be started, takes longer than `limit`, or is cancelled.
pub async fn capture(command: Command, limit: Duration, cancel: &CancellationToken) -> Result<Output, CommandError> {
    capture_up_to(OUTPUT_LIMIT, command, limit, cancel).await
}

/// Like [`capture`], but keeps `most` bytes each of stdout and stderr.
///
/// # Errors
/// As [`capture`].
pub async fn capture_up_to(
    most: u64,
    mut command: Command,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Output, CommandError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let (mut said, mut complained) = (Vec::new(), Vec::new());
    let reading = async { tokio::try_join!(read(stdout, most, &mut said), read(stderr, most, &mut complained)) };
    let all = async {
        tokio::pin!(reading);
        tokio::select! {
            read = &mut reading => {
                read?;
                group.child.wait().await
            }
            status = group.child.wait() => {
                // What it has left may hold its output open; what it printed itself has been read by then.
                if let Ok(read) = timeout(LINGER, reading).await {
                    read?;
                }
                status
            }
        }
    };
    let status = bounded(all, limit, cancel).await??;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Output { success: status.success(), code: status.code(), stdout: text(&said), stderr: text(&complained) })
}

/// The error for a process that could not be started.
pub fn no_start(error: io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::NotFound { CommandError::NoSetpriv } else { error.into() }
}

/// Awaits the work until it ends, the limit is over, or the token is cancelled.
///
/// # Errors
/// [`CommandError::TimeLimit`] and [`CommandError::Cancelled`].
pub async fn bounded<T>(
    work: impl Future<Output = T>,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<T, CommandError> {
    tokio::select! {
        () = cancel.cancelled() => Err(CommandError::Cancelled),
        done = timeout(limit, work) => done.map_err(|_| CommandError::TimeLimit(limit)),
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    if let Some(mut from) = from {
        (&mut from).take(most).read_to_end(bytes).await?;
        // Read and discard the rest, so that the program does not block on a full pipe.
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

/// A child and its process group, which is killed when this is dropped.
#[derive(Debug)]
pub struct Group {
    pub child: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts a command made by [`command`].
    ///
    /// # Errors
    /// [`CommandError`] if the program cannot be started.
    pub async fn start(command: Command) -> Result<Self, CommandError> {
        let child = spawner::spawn(command).await.map_err(no_start)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, id })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A child that was waited for has no pid any more: then there is nothing to kill.
        if let (Some(id), Some(_)) = (self.id, self.child.id()) {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}
