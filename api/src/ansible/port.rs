//! The port to Ansible.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use crate::git::port::GitError;
use crate::platform::command::CommandError;

/// What a playbook's virtualenv is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirements {
    /// A requirements file, by its path in the playbook's repository.
    File(String),
    /// The requirements themselves, as the lines of a requirements file.
    Text(String),
}

/// One playbook at one commit, with what it is given: all that is needed to load it. No machine is among it, because what
/// cannot be loaded must end a build before there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSpec {
    /// Where it is loaded (0700): becomes the directory of a run. Made when missing.
    pub dir: PathBuf,
    /// As in [`RunSpec`].
    pub source_repo: String,
    /// As in [`RunSpec`].
    pub commit: String,
    /// As in [`RunSpec`].
    pub playbook_path: String,
    /// As in [`RunSpec`].
    pub requirements: Requirements,
    /// As in [`RunSpec`].
    pub variables: Map<String, Value>,
}

impl LoadSpec {
    /// The run of it on a machine, in this directory.
    pub fn run(self, dir: PathBuf, target: Target, line_timeout: Duration, global_timeout: Duration) -> RunSpec {
        let Self { dir: _, source_repo, commit, playbook_path, requirements, variables } = self;
        RunSpec {
            dir,
            source_repo,
            commit,
            playbook_path,
            requirements,
            variables,
            target,
            line_timeout,
            global_timeout,
        }
    }
}

/// One run of one playbook. Its directory holds all it writes, and is all that whoever takes over needs to know.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The run's own directory (0700): checkout, variables, inventory, spool, process record. Made when missing.
    pub dir: PathBuf,
    /// The repository: URL or absolute path.
    pub source_repo: String,
    /// The commit, or whatever `git` resolves where no commit is known.
    pub commit: String,
    /// The playbook's path in the repository.
    pub playbook_path: String,
    /// What its virtualenv is made of.
    pub requirements: Requirements,
    /// Handed over as a JSON file (0600) that is gone when the run has ended.
    pub variables: Map<String, Value>,
    /// The machine.
    pub target: Target,
    /// No output for so long ends the run.
    pub line_timeout: Duration,
    /// So long altogether ends the run.
    pub global_timeout: Duration,
}

/// The machine a playbook configures.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where sshd answers.
    pub ssh: SocketAddr,
    /// The user to log in as.
    pub user: String,
    /// The private key's file.
    pub private_key: PathBuf,
    /// The host key to insist on; none: the first is believed, within this run directory.
    pub host_key: Option<String>,
}

/// How far the spool has been read: bytes taken in of each of its two files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolPosition {
    /// Of the callback's file, which also gets stdout.
    pub events: u64,
    /// Of stderr's.
    pub errors: u64,
}

/// One line a run printed, ready for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolLine {
    /// When it was printed.
    pub at: DateTime<Utc>,
    /// How much it matters.
    pub level: LogLevel,
    /// The text.
    pub text: String,
    /// `role : task` it came from.
    pub task: Option<String>,
    /// What it says of the progress.
    pub progress: Option<TaskProgress>,
}

/// What a line says of the progress. Handlers, included tasks, and those of rescue and always sections are not known
/// beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskProgress {
    /// The line's task began.
    Began,
    /// The same of a task that was not known beforehand: one more than [`Ansible::prepare`] counted.
    Added,
    /// It ended (well, changed, skipped or failed).
    Ended,
}

/// Takes in what was printed, as it was printed: it is the sink that hides secrets. Lines and position are to be stored in
/// one transaction.
#[async_trait]
pub trait SpoolSink: Send {
    /// Stores lines together with the position behind them. An error (the build's lease was lost, the database is away)
    /// ends the run.
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String>;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// Every task went well.
    Succeeded,
    /// Ansible ended with 0, and no play came to the machine.
    NoHost {
        /// What the plays have as `hosts`.
        hosts: Vec<String>,
    },
    /// Ansible ended with another exit status than 0.
    Failed {
        /// The exit status; none when a signal ended it.
        exit_status: Option<i32>,
        /// The first task that failed, as `role : task`, and its message; it may hold secrets, as all that is printed.
        failed_task: Option<(String, String)>,
        /// What Ansible said of an error on stderr; secrets as above.
        words: Option<String>,
    },
    /// Nothing was printed for [`RunSpec::line_timeout`].
    LineTimeout,
    /// It took longer than [`RunSpec::global_timeout`].
    GlobalTimeout,
    /// The token was cancelled.
    Cancelled,
}

/// Why no playbook was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnsibleError {
    /// It will not go better: no such repository, reference, playbook, role, vars file, requirement or collection.
    #[error("{0}")]
    Permanent(String),
    /// It may: the network, the package index, the disk.
    #[error("{0}")]
    Transient(String),
    /// The sink refused, in its words.
    #[error("{0}")]
    Sink(String),
    /// The token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<GitError> for AnsibleError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Permanent(words) => Self::Permanent(words),
            GitError::Transient(words) => Self::Transient(words),
            GitError::Refused(words) => Self::Sink(words),
            GitError::Cancelled => Self::Cancelled,
        }
    }
}

impl From<CommandError> for AnsibleError {
    fn from(error: CommandError) -> Self {
        GitError::from(error).into()
    }
}

/// Runs playbooks.
#[async_trait]
pub trait Ansible: Debug + Send + Sync {
    /// Checks the commit out, its submodules too, makes the virtualenv, installs what `requirements.yml` asks for (all from
    /// caches where they can be), and has Ansible load the playbook without connecting to anything. Gives the number of tasks
    /// `--list-tasks` knows. Does nothing where the directory holds this very playbook already. What git, pip and Ansible
    /// print goes to the sink, without position changes.
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError>;

    /// Runs the playbook of a prepared directory and returns when no process of it is left. Everything printed has then been given to the sink.
    /// The run ends with this program, whatever ends it. After a refusal of the sink, as after the death of the program,
    /// [`Ansible::recover`] ends the run properly.
    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError>;

    /// Ends what an earlier holder left of a run, and takes in the rest of its spool from `position`. Says whether there
    /// was anything.
    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError>;
}
