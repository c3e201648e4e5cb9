//! Short programs of others, such as `git` and `pip`: with an environment of their own, a time limit, bounded output, and never
//! beyond the end of this program. Not here: playbooks, which outlast a connection to the database (`ansible/runner.rs`).

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

/// So much of what a program prints is kept, in bytes.
pub const OUTPUT_LIMIT: u64 = 1 << 20;

/// What of the manager's environment `git` and `pip` need to reach a network. Ansible gets none of it.
const PASSED_ON: &[&str] = &[
    "GIT_SSL_CAINFO",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSH_AUTH_SOCK",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// Why a program did not come to its end. Its own failure is no error: see [`Output::success`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No process can be started without `setpriv`.
    #[error("the program `setpriv` is missing: install util-linux")]
    NoSetpriv,
    /// What the system says; it may go away.
    #[error("{0}")]
    System(String),
    /// The program took longer than this.
    #[error("it took longer than {} s and was ended", .0.as_secs())]
    TimeLimit(Duration),
    /// The token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::System(error.to_string())
    }
}

/// What a program printed, and whether it went well.
#[derive(Debug)]
pub struct Output {
    /// Whether the exit status is 0.
    pub success: bool,
    /// The exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// At most [`OUTPUT_LIMIT`], unless more was asked for.
    pub stdout: String,
    /// The same of stderr.
    pub stderr: String,
}

/// A command that dies with this program, in a process group of its own, with a clean environment.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command.env_clear().env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    let passed_on = |name: &str| PASSED_ON.contains(&name) || name.starts_with("PIP_");
    for (name, value) in std::env::vars_os() {
        if name.to_str().is_some_and(passed_on) {
            command.env(name, value);
        }
    }
    command
}

/// Runs a short command and keeps what it prints.
///
/// # Errors
/// When it cannot be started, takes longer than `limit`, or is cancelled.
pub async fn capture(command: Command, limit: Duration, cancel: &CancellationToken) -> Result<Output, CommandError> {
    capture_up_to(OUTPUT_LIMIT, command, limit, cancel).await
}

/// The same for a command that prints much: so many bytes of stdout and stderr each are kept.
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
    let all = async { tokio::join!(read(stdout, most), read(stderr, most), group.child.wait()) };
    let (stdout, stderr, status) = bounded(all, limit, cancel).await?;
    let status = status?;
    Ok(Output { success: status.success(), code: status.code(), stdout: stdout?, stderr: stderr? })
}

/// Why no process was started.
pub fn no_start(error: io::Error) -> CommandError {
    if error.kind() == io::ErrorKind::NotFound { CommandError::NoSetpriv } else { error.into() }
}

/// Does the work until it has ended, the time is over, or the token is cancelled.
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

async fn read(from: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(most).read_to_end(&mut bytes).await?;
        // The rest is read away, so that the program does not stand still.
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A child with its process group, which is killed when this is dropped.
#[derive(Debug)]
pub struct Group {
    /// The child that was started.
    pub child: Child,
    id: Option<Pid>,
}

impl Group {
    /// Starts a command that [`command`] made.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(command: Command) -> Result<Self, CommandError> {
        let child = spawner::spawn(command).await.map_err(no_start)?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { child, id })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A child that was waited for has no number any more: then nothing is killed.
        if let (Some(id), Some(_)) = (self.id, self.child.id()) {
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}
