//! Long commands, such as `pip`, whose lines go to the run's sink as they are printed; and I/O errors in between.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use shared_types::LogLevel;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::port::{AnsibleError, SpoolLine, SpoolPosition, SpoolSink};
use super::spool::{POLL, RawLine, Tail};
use super::text::clean;
use crate::git::port::Progress;
use crate::platform::command::{Group, OUTPUT_LIMIT, Output, bounded};
use crate::platform::removal::remove_tree;
use crate::platform::sandbox::{self, Cell};

/// Passes lines to the run's sink.
pub(super) struct Printer<'a> {
    sink: &'a mut dyn SpoolSink,
    position: SpoolPosition,
}

impl<'a> Printer<'a> {
    /// The sink gets this unchanged `position` with every line.
    pub(super) fn new(sink: &'a mut dyn SpoolSink, position: SpoolPosition) -> Self {
        Self { sink, position }
    }

    /// Logs one line of the manager.
    pub(super) async fn say(&mut self, text: String) -> Result<(), AnsibleError> {
        self.print(LogLevel::Info, vec![text]).await
    }

    /// Logs the lines that a program printed.
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

#[async_trait]
impl Progress for Printer<'_> {
    async fn say(&mut self, text: String) -> Result<(), String> {
        Printer::say(self, text).await.map_err(|error| error.to_string())
    }
}

/// Runs a long program, passes on its lines as they are printed, and gives the whole output. It prints to `log` by a
/// descriptor.
pub(super) async fn print(
    cell: Cell,
    log: &Path,
    limit: Duration,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Output, AnsibleError> {
    let Cell { mut command, guard } = cell;
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
    let output = tokio::select! {
        error = guard.exceeded() => Err(error.into()),
        output = bounded(follow, limit, cancel) => output.map_err(AnsibleError::from).and_then(|output| output),
    };
    drop(group);
    drop(std::fs::remove_file(log));
    match output {
        Ok(output) => Ok(sandbox::settle(&guard, Ok(output)).await?),
        Err(error) => {
            guard.end().await;
            Err(error)
        }
    }
}

/// An I/O error; a retry may succeed.
pub(super) fn failed(error: io::Error) -> AnsibleError {
    AnsibleError::Transient(error.to_string())
}

/// Like [`failed`], with the path of the file.
pub(super) fn failed_at(path: &Path, error: &io::Error) -> AnsibleError {
    AnsibleError::Transient(format!("{}: {error}", path.display()))
}

/// Removes what foreign code may have made; a missing one is no error.
pub(super) fn remove_dir(dir: &Path) -> Result<(), AnsibleError> {
    remove_tree(dir).map_err(|error| failed_at(dir, &error))
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
