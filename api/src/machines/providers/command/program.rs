//! One run of the program: a process group of its own, a clean environment, bounded time and output, no shell.
//!
//! When a run ends, also by a time limit, every process of its group is killed. A process that is to live on (a machine on
//! this host) must be in a session of its own.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin};
use tokio::time::timeout;

use super::fault::Fault;
use crate::platform::command::{self, Group};

/// How many bytes the program may print on stdout, and on stderr.
pub(super) const OUTPUT_LIMIT: u64 = 1 << 20;
/// How many characters of the program's texts are shown.
pub(super) const MAX_WORDS: usize = 300;
/// How long output is read after the program has ended, if a process that it has left holds it open.
const LINGER: Duration = Duration::from_secs(1);
/// How long a killed program may take to end.
const END_LIMIT: Duration = Duration::from_secs(10);
/// Variables that every program gets.
const PASSED_ON: &[&str] = &["HOME", "LANG", "PATH"];
/// Shorter values of variables are not masked: they would mask ordinary words.
const SHORTEST_MASKED: usize = 4;

/// A program that may be run.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
    /// Names of variables.
    environment: Vec<String>,
}

/// What the program has printed, and how it has ended.
#[derive(Debug)]
pub(super) struct Printed {
    pub stdout: Vec<u8>,
    /// How it ended and the last line of its stderr; none: exit status 0.
    pub failure: Option<(String, String)>,
}

impl Program {
    /// Checks that the program can be run.
    ///
    /// # Errors
    /// What is wrong with its path or with a variable's name, and what to do.
    pub(super) fn new(path: PathBuf, arguments: Vec<String>, environment: Vec<String>) -> Result<Self, String> {
        let wrong =
            |what: &str| Err(format!("The provider program {} {what}: set OCIM_COMMAND_PROVIDER", path.display()));
        if !path.is_absolute() {
            return wrong("is no absolute path");
        }
        match std::fs::metadata(&path) {
            Err(error) => return wrong(&format!("cannot be read ({error})")),
            Ok(found) if !found.is_file() => return wrong("is not a file"),
            Ok(found) if found.permissions().mode() & 0o111 == 0 => return wrong("is not executable"),
            Ok(_) => {}
        }
        let is_name = |name: &&String| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if let Some(name) = environment.iter().find(|name| !is_name(name)) {
            let name = words(name);
            return Err(format!(
                "OCIM_COMMAND_PROVIDER_ENVIRONMENT: `{name}` is no name of a variable; give names only"
            ));
        }
        Ok(Self { path, arguments, environment })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs the program once, with this text on its stdin.
    ///
    /// # Errors
    /// [`Fault`] if it could not be started, took too long, or printed too much. Its processes are gone then.
    pub(super) async fn run(&self, request: &str, limit: Duration, setting: &'static str) -> Result<Printed, Fault> {
        let mut command = command::command(&self.path);
        command.args(&self.arguments).env_clear().envs(self.variables()).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Dropped, it kills the group.
        let mut group = Group::start(command).await.map_err(|error| Fault::System(error.to_string()))?;
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let talked = timeout(limit, talk(&mut group.child, request, &mut stdout, &mut stderr)).await;
        let ended = end(&mut group.child).await;
        talked.map_err(|_elapsed| Fault::TimeLimit { limit, setting })??;
        let failure = how(ended.map_err(system)?).map(|how| (how, last_line(&String::from_utf8_lossy(&stderr))));
        Ok(Printed { stdout, failure })
    }

    /// The variables that the program gets.
    fn variables(&self) -> impl Iterator<Item = (&str, OsString)> {
        let names = PASSED_ON.iter().copied().chain(self.environment.iter().map(String::as_str));
        names.filter_map(|name| Some((name, std::env::var_os(name)?)))
    }

    /// The text without the values of the variables that the settings name: they may be passwords.
    pub(super) fn masked(&self, text: &str) -> String {
        let values = self.environment.iter().filter_map(|name| std::env::var(name).ok());
        values
            .filter(|value| value.len() >= SHORTEST_MASKED)
            .fold(text.to_owned(), |text, value| text.replace(value.as_str(), "***"))
    }
}

/// Writes the request and reads what is printed, until the program has ended. It is not reaped: its id stays its own.
async fn talk(child: &mut Child, request: &str, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>) -> Result<(), Fault> {
    let pid = pid_of(child).ok_or_else(|| Fault::System("it has no process id".to_owned()))?;
    let ending = ending(pid)?;
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let work = async {
        tokio::try_join!(write(input, request), read("stdout", output, stdout), read("stderr", errors, stderr))
            .map(drop)
    };
    tokio::pin!(work, ending);
    tokio::select! {
        // First what it has printed, if it has ended as well.
        biased;
        done = &mut work => {
            done?;
            ending.await
        }
        ended = &mut ending => {
            ended?;
            // If a process that it has left holds the output open: what it printed itself has been read by then.
            timeout(LINGER, work).await.unwrap_or(Ok(()))
        }
    }
}

/// Waits for the end of a process without reaping it: its pidfd becomes readable.
fn ending(pid: Pid) -> Result<impl Future<Output = Result<(), Fault>>, Fault> {
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| system(error.into()))?;
    let wait = move || retry_on_intr(|| poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None));
    // If this is dropped, the program is killed, and the thread ends as well.
    let waiting = tokio::task::spawn_blocking(wait);
    Ok(async move {
        let ended = waiting.await.map_err(|error| Fault::System(error.to_string()))?;
        ended.map(drop).map_err(|error| system(error.into()))
    })
}

/// Kills the process group of a program that was not reaped yet, and reaps it.
async fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    if let Some(pid) = pid_of(child) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let late = |_elapsed| std::io::Error::other("it was killed and does not end");
    timeout(END_LIMIT, child.wait()).await.map_err(late)?
}

fn pid_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

/// A program that does not read its request may close its stdin.
async fn write(into: Option<ChildStdin>, request: &str) -> Result<(), Fault> {
    if let Some(mut into) = into {
        let _ = into.write_all(request.as_bytes()).await;
    }
    Ok(())
}

async fn read(name: &'static str, from: Option<impl AsyncRead + Unpin>, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    if let Some(from) = from {
        from.take(OUTPUT_LIMIT + 1).read_to_end(bytes).await.map_err(system)?;
    }
    if bytes.len() as u64 > OUTPUT_LIMIT { Err(Fault::Output(name)) } else { Ok(()) }
}

fn system(error: std::io::Error) -> Fault {
    Fault::System(error.to_string())
}

/// How a program ended; none: with exit status 0.
fn how(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(format!("signal {signal}")),
        (None, None) => Some(status.to_string()),
    }
}

fn last_line(text: &str) -> String {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// A text of the program for logs and people: without control characters and such that change the direction, 300
/// characters at most.
pub(super) fn words(text: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c));
    plain.take(MAX_WORDS).collect::<String>().trim().to_owned()
}
