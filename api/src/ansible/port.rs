//! The port to Ansible.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Map, Value};
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use crate::git::port::GitError;
use crate::platform::command::CommandError;

/// Contents of a playbook's virtualenv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirements {
    /// Path of a requirements file in the playbook's repository.
    File(String),
    /// The lines of a requirements file.
    Text(String),
}

/// One playbook at one commit with its inputs: all that is needed to load it. It names no machine, because a playbook
/// that cannot be loaded must end a build before a machine is created.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadSpec {
    /// Where it is loaded (0700); later the directory of a run. Created when missing.
    pub dir: PathBuf,
    /// As in [`RunSpec::source_repo`].
    pub source_repo: String,
    /// As in [`RunSpec::commit`].
    pub commit: String,
    /// As in [`RunSpec::playbook_path`].
    pub playbook_path: String,
    /// As in [`RunSpec::requirements`].
    pub requirements: Requirements,
    /// As in [`RunSpec::variables`].
    pub variables: Map<String, Value>,
}

impl LoadSpec {
    /// The spec to run it on a machine, in this directory.
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

/// One run of one playbook. All its files are in its directory, which is all that a successor needs to recover the run.
#[derive(Debug, Clone)]
pub struct RunSpec {
    /// The run's own directory (0700): checkout, variables, inventory, spool, process record. Created when missing.
    pub dir: PathBuf,
    /// URL or absolute path of the repository.
    pub source_repo: String,
    /// The commit, or any reference that `git` can resolve if no commit is known.
    pub commit: String,
    /// Path of the playbook in the repository.
    pub playbook_path: String,
    /// Contents of the virtualenv.
    pub requirements: Requirements,
    /// Passed as a JSON file (0600) that is removed when the run has ended.
    pub variables: Map<String, Value>,
    /// The machine to configure.
    pub target: Target,
    /// The run is ended after this time without output.
    pub line_timeout: Duration,
    /// The run is ended after this time in total.
    pub global_timeout: Duration,
}

/// The machine a playbook configures.
#[derive(Debug, Clone)]
pub struct Target {
    /// Address and port of sshd.
    pub ssh: SocketAddr,
    /// The login name, which may use sudo without a password.
    pub user: String,
    /// The private key in OpenSSH's format. Written to a file (0600) of the run, like the variables.
    pub private_key: SecretString,
    /// The only host key to accept; none: the first one is trusted, within this run directory.
    pub host_key: Option<String>,
    /// The absolute path of the machine's Python interpreter, without blanks and quotes; none: Ansible looks for one.
    pub python: Option<String>,
}

/// How far the spool has been read: offsets in bytes in its two files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolPosition {
    /// Offset in the callback's file, which also gets stdout.
    pub events: u64,
    /// Offset in stderr's file.
    pub errors: u64,
}

/// One line of a run's output, ready for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolLine {
    /// When the callback wrote it, by this host's clock; for other output, when it was read.
    pub at: DateTime<Utc>,
    /// The severity of the event, or, of other output on stderr, what its words say.
    pub level: LogLevel,
    /// One or several lines; only the machine's private key is masked yet.
    pub text: String,
    /// The task that printed it, as `role : task`.
    pub task: Option<String>,
    /// The progress that the line reports.
    pub progress: Option<TaskProgress>,
}

impl SpoolLine {
    /// What is stored of a line that the database refuses: that there was one, and its progress.
    #[must_use]
    pub fn unstorable(&self) -> Self {
        Self {
            at: Utc::now(),
            level: self.level,
            text: "(output that cannot be stored)".to_owned(),
            task: None,
            progress: self.progress,
        }
    }
}

/// Progress reported by a line. Handlers, included tasks, and tasks of rescue and always sections are not counted
/// beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskProgress {
    /// The line's task began.
    Began,
    /// A task began that [`Ansible::prepare`] did not count: the total grows by one.
    Added,
    /// The line's task ended (well, changed, skipped or failed).
    Ended,
}

/// Stores what was printed: masking the secrets of the variables is the sink's job. Lines and position are to be stored in one
/// transaction.
#[async_trait]
pub trait SpoolSink: Send {
    /// Stores lines together with the position behind them. An error (the build's lease was lost, the database is down)
    /// ends the run.
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String>;
}

/// Outcome of a run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// Every task succeeded, and a play ran on the machine.
    Succeeded,
    /// Ansible exited with 0, but no play ran on the machine.
    NoHost {
        /// The `hosts` of the plays.
        hosts: Vec<String>,
    },
    /// Ansible exited with another status than 0.
    Failed {
        /// The exit status; none when a signal ended it.
        exit_status: Option<i32>,
        /// The first task that failed, as `role : task`, and its message; it may hold secrets, like all output.
        failed_task: Option<(String, String)>,
        /// Ansible's error message on stderr; it may hold secrets.
        words: Option<String>,
    },
    /// No output for [`RunSpec::line_timeout`].
    LineTimeout,
    /// It took longer than [`RunSpec::global_timeout`].
    GlobalTimeout,
    /// It used more of this host than it may.
    Limit {
        /// What, as the end of a sentence that begins with the playbook.
        words: String,
    },
    /// The token was cancelled.
    Cancelled,
}

/// Why no playbook was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnsibleError {
    /// A retry does not help: no such repository, reference, playbook, role, vars file, requirement or collection.
    #[error("{0}")]
    Permanent(String),
    /// A retry may succeed: the network, the package index or the disk failed.
    #[error("{0}")]
    Transient(String),
    /// The sink refused the lines, with its message.
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

/// Prepares, runs and recovers playbooks.
#[async_trait]
pub trait Ansible: Debug + Send + Sync {
    /// Checks out the commit with its submodules, makes the virtualenv, installs the `requirements.yml` (all from
    /// caches where possible), and has Ansible load the playbook without connecting to any host. Gives the number of
    /// tasks that `--list-tasks` lists. Does nothing if the directory holds this very playbook already. The output of
    /// git, pip and Ansible goes to the sink, without position changes.
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError>;

    /// Runs the playbook of a prepared directory and returns when no process of it is left and all output was given to
    /// the sink. The run ends with this program, even if that is killed. After a refusal of the sink, or the death of
    /// the program, [`Ansible::recover`] cleans up.
    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError>;

    /// Ends the processes of an earlier holder's run, and takes in the rest of its spool from `position`. True if there
    /// were processes or output.
    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError>;
}
