//! Runs `git` and `pip`: with an environment of its own, a time limit, bounded output, and never beyond the program's end.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use chrono::Utc;
use rustix::process::{Pid, Signal, kill_process_group};
use shared_types::LogLevel;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::port::{AnsibleError, SpoolLine, SpoolPosition, SpoolSink};
use super::spawner;
use super::spool::{POLL, RawLine, Tail};
use super::text::clean;

/// So much of what a program prints is kept, in bytes.
const OUTPUT_LIMIT: u64 = 1 << 20;

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

/// What a program printed, and whether it went well.
#[derive(Debug)]
pub(super) struct Output {
    pub success: bool,
    /// The exit status; none when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Where the lines of a long command go.
pub(super) struct Printer<'a> {
    sink: &'a mut dyn SpoolSink,
    position: SpoolPosition,
}

impl<'a> Printer<'a> {
    /// The sink gets `position` with every line: it stays what it is.
    pub(super) fn new(sink: &'a mut dyn SpoolSink, position: SpoolPosition) -> Self {
        Self { sink, position }
    }

    /// One line of our own.
    pub(super) async fn say(&mut self, text: String) -> Result<(), AnsibleError> {
        self.print(LogLevel::Info, vec![text]).await
    }

    /// Lines that a program printed.
    pub(super) async fn pass_on(&mut self, level: LogLevel, said: &str) -> Result<(), AnsibleError> {
        self.print(level, said.lines().map(clean).collect()).await
    }

    async fn print(&mut self, level: LogLevel, texts: Vec<String>) -> Result<(), AnsibleError> {
        let line = |text| SpoolLine { at: Utc::now(), level, text, task: None, progress: None };
        let lines: Vec<_> = texts.into_iter().filter(|text| !text.is_empty()).map(line).collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.sink.take(lines, self.position).await.map_err(AnsibleError::Sink)
    }
}

/// A command that dies with this program, in a process group of its own, with a clean environment.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
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
pub(super) async fn capture(
    command: Command,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Output, AnsibleError> {
    capture_up_to(OUTPUT_LIMIT, command, limit, cancel).await
}

/// The same for a command that prints much: so many bytes of stdout and stderr each are kept.
pub(super) async fn capture_up_to(
    most: u64,
    mut command: Command,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Output, AnsibleError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = Group::start(command).await?;
    let (stdout, stderr) = (group.child.stdout.take(), group.child.stderr.take());
    let all = async { tokio::join!(read(stdout, most), read(stderr, most), group.child.wait()) };
    let (stdout, stderr, status) = bounded(all, limit, cancel).await?;
    let status = status.map_err(failed)?;
    let (success, code) = (status.success(), status.code());
    Ok(Output { success, code, stdout: stdout.map_err(failed)?, stderr: stderr.map_err(failed)? })
}

/// Runs a long command, passes on its lines as they come, and gives the end of what it printed.
pub(super) async fn print(
    mut command: Command,
    log: &Path,
    limit: Duration,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Output, AnsibleError> {
    let file = std::fs::File::create(log).map_err(|error| failed_at(log, &error))?;
    let copy = file.try_clone().map_err(failed)?;
    command.stdout(Stdio::from(file)).stderr(Stdio::from(copy));
    let mut group = Group::start(command).await?;
    let mut tail = Tail::new(log, 0);
    let follow = async {
        let mut said = String::new();
        loop {
            let status = tokio::select! {
                status = group.child.wait() => Some(status.map_err(failed)?),
                () = sleep(POLL) => None,
            };
            while let Some(lines) = tail.read().await.map_err(|error| failed_at(log, &error))? {
                pass_on(lines, &mut said, printer).await?;
            }
            if let Some(status) = status {
                pass_on(tail.finish().into_iter().collect(), &mut said, printer).await?;
                let (success, code) = (status.success(), status.code());
                return Ok(Output { success, code, stdout: said, stderr: String::new() });
            }
        }
    };
    let output = bounded(follow, limit, cancel).await?;
    drop(std::fs::remove_file(log));
    output
}

/// Why no process was started.
pub(super) fn no_start(error: io::Error) -> AnsibleError {
    if error.kind() == io::ErrorKind::NotFound {
        return AnsibleError::Permanent("the program `setpriv` is missing: install util-linux".to_owned());
    }
    failed(error)
}

/// An error of the system, which may go away.
pub(super) fn failed(error: io::Error) -> AnsibleError {
    AnsibleError::Transient(error.to_string())
}

/// The same, with the path it is about.
pub(super) fn failed_at(path: &Path, error: &io::Error) -> AnsibleError {
    AnsibleError::Transient(format!("{}: {error}", path.display()))
}

async fn pass_on(lines: Vec<RawLine>, said: &mut String, printer: &mut Printer<'_>) -> Result<(), AnsibleError> {
    let texts: Vec<_> = lines.iter().map(|line| clean(&String::from_utf8_lossy(&line.text))).collect();
    for text in &texts {
        if u64::try_from(said.len() + text.len()).is_ok_and(|length| length < OUTPUT_LIMIT) {
            said.push_str(text);
            said.push('\n');
        }
    }
    printer.print(LogLevel::Info, texts).await
}

async fn bounded<T>(
    work: impl Future<Output = T>,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<T, AnsibleError> {
    tokio::select! {
        () = cancel.cancelled() => Err(AnsibleError::Cancelled),
        done = timeout(limit, work) => done.map_err(|_| {
            AnsibleError::Transient(format!("it took longer than {} s and was ended", limit.as_secs()))
        }),
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
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    async fn start(command: Command) -> Result<Self, AnsibleError> {
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
