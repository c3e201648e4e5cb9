//! Runs the host's programs by argument vector, with a time limit and never through a shell.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::error::LocalError;
use super::lock::Lock;

/// Timeout. The commands used here take at most a few hundred milliseconds on an idle host.
const LIMIT: Duration = Duration::from_secs(30);
/// Limit for a program's output in an error.
const MAX_DETAIL_CHARS: usize = 600;

/// Runs a program and gives its stdout; any exit status but 0 is an error with what it printed.
///
/// # Errors
/// [`LocalError::Command`] when it cannot be started, fails, or takes longer than 30 s (it is killed then).
pub(super) async fn run<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> Result<String, LocalError> {
    run_with(program, arguments, Stdio::null()).await
}

/// Runs `ip` to change the network. The program holds the network lock itself until it has ended.
pub(super) async fn ip(held: &Lock, arguments: &[&str]) -> Result<String, LocalError> {
    run_with("ip", arguments, held.lend()?).await
}

async fn run_with<S: AsRef<OsStr>>(program: &str, arguments: &[S], stdin: Stdio) -> Result<String, LocalError> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).kill_on_drop(true).env("LC_ALL", "C");
    let shown = shown(program, arguments);
    let output = match timeout(LIMIT, command.output()).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(LocalError::Command { program: shown, detail: error.to_string() }),
        Err(_elapsed) => {
            let detail = format!("no end within {} s", LIMIT.as_secs());
            return Err(LocalError::Command { program: shown, detail });
        }
    };
    if !output.status.success() {
        let detail = format!("{}: {}", output.status, tail(&String::from_utf8_lossy(&output.stderr)));
        return Err(LocalError::Command { program: shown, detail });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last 600 characters of a text, on one line.
pub(super) fn tail(text: &str) -> String {
    let line = text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ");
    let surplus = line.chars().count().saturating_sub(MAX_DETAIL_CHARS);
    line.chars().skip(surplus).collect()
}

fn shown<S: AsRef<OsStr>>(program: &str, arguments: &[S]) -> String {
    let mut words = vec![program.to_owned()];
    words.extend(arguments.iter().take(4).map(|word| word.as_ref().to_string_lossy().into_owned()));
    words.join(" ")
}
