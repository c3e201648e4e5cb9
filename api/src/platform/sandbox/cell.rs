//! A program with its wall: the command to start, and what is undone when it has ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::accounts::Account;
use super::launch::{FAILED, REASON_PREFIX};
use super::settings::RunLimits;
use super::watch::Watch;
use crate::platform::cgroups::Group;
use crate::platform::command::{self, CommandError, OUTPUT_LIMIT, Output};
use crate::platform::removal::{self, remove_tree};

/// How long processes of a control group may take to disappear.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A program behind its wall, not started yet. Arguments and environment may be added to the command; its working
/// directory is that of the wall.
#[derive(Debug)]
pub struct Cell {
    /// Starts the program.
    pub command: Command,
    /// To be kept until it has ended.
    pub guard: Guard,
}

/// What a started program needs and leaves.
#[derive(Debug)]
pub struct Guard {
    pub(super) account: Arc<Account>,
    /// Files for the wall, and the private `/tmp` on the disk, which are removed.
    pub(super) dirs: Vec<PathBuf>,
    pub(super) group: Option<Group>,
    pub(super) watch: Watch,
    pub(super) limits: RunLimits,
}

impl Guard {
    /// Returns, with the reason, once the program has written more than it may, or its disk is full. It is then to be ended.
    pub async fn exceeded(&self) -> CommandError {
        self.watch.exceeded().await
    }

    /// Why the kernel ended or hindered the program, in words; none if it did not.
    #[must_use]
    pub fn hindrance(&self) -> Option<String> {
        let hits = self.group.as_ref()?.hits();
        let RunLimits { memory_mb, processes, .. } = self.limits;
        if hits.memory_kills > 0 {
            return Some(format!("it needed more than {memory_mb} MB of memory (OCIM_RUN_MEMORY_MB) and was ended"));
        }
        (hits.refused_processes > 0)
            .then(|| format!("it started more than {processes} processes and threads at once (OCIM_RUN_PROCESSES)"))
    }

    /// The largest file that the program may write, in MiB.
    pub const fn largest_file_mb(&self) -> u64 {
        self.limits.file_mb
    }

    /// Ends what is left of the program, and removes its files.
    pub async fn end(&self) {
        if let Some(group) = &self.group {
            if let Err(error) = group.end(END_LIMIT).await {
                tracing::warn!(%error, "a control group of a run was left");
            }
        } else if !self.account.has_ended(END_LIMIT).await {
            tracing::warn!(uid = self.account.uid(), "processes of a run were left");
        }
        for dir in &self.dirs {
            if let Err(error) = removal::remove(dir.clone()).await {
                tracing::warn!(dir = %dir.display(), %error, "files of a run were left");
            }
        }
    }

    /// The user of the program.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            group.kill();
            // Fails while a process is ending; the next run of this user removes it.
            let _ = group.remove();
        }
        for dir in &self.dirs {
            // Gone already, unless this was dropped in the middle. What is left then, the next start of this program removes.
            let _ = remove_tree(dir);
        }
    }
}

/// Runs a short program behind its wall and returns what it prints.
///
/// # Errors
/// As [`command::capture`]; and [`CommandError::Limit`] if it used more than it may.
pub async fn capture(cell: Cell, limit: Duration, cancel: &CancellationToken) -> Result<Output, CommandError> {
    capture_up_to(OUTPUT_LIMIT, cell, limit, cancel).await
}

/// Like [`capture`], but keeps `most` bytes each of stdout and stderr.
///
/// # Errors
/// As [`capture`].
pub async fn capture_up_to(
    most: u64,
    cell: Cell,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Output, CommandError> {
    let Cell { command, guard } = cell;
    let output = tokio::select! {
        error = guard.exceeded() => Err(error),
        output = command::capture_up_to(most, command, limit, cancel) => output,
    };
    settle(&guard, output).await
}

/// Ends what is left of a program, and tells a failure of the wall or a limit from one of the program.
///
/// # Errors
/// [`CommandError::Limit`] and [`CommandError::System`].
pub async fn settle(guard: &Guard, output: Result<Output, CommandError>) -> Result<Output, CommandError> {
    let hindrance = guard.hindrance();
    guard.end().await;
    let output = output?;
    if output.success {
        return Ok(output);
    }
    if let Some(words) = hindrance {
        return Err(CommandError::Limit(words));
    }
    if output.code == Some(FAILED)
        && let Some(words) = [&output.stderr, &output.stdout].into_iter().find_map(|said| reason(said))
    {
        return Err(CommandError::System(format!("the sandbox cannot be made: {words}")));
    }
    Ok(output)
}

fn reason(said: &str) -> Option<String> {
    said.lines().find_map(|line| line.strip_prefix(REASON_PREFIX)).map(str::to_owned)
}
