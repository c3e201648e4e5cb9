//! The port to git.

use std::fmt::Debug;
use std::path::Path;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::platform::command::CommandError;

/// Why a repository was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// Another attempt would end in the same way: no such repository, reference or commit, or no right to read it.
    #[error("{0}")]
    Permanent(String),
    /// Another attempt may succeed: the network, the server, the disk.
    #[error("{0}")]
    Transient(String),
    /// [`Progress`] refused a line, in its words.
    #[error("{0}")]
    Refused(String),
    /// The token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<CommandError> for GitError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NoSetpriv => Self::Permanent(error.to_string()),
            CommandError::System(_) | CommandError::TimeLimit(_) => Self::Transient(error.to_string()),
            CommandError::Cancelled => Self::Cancelled,
        }
    }
}

/// Takes the lines that say what a checkout does.
#[async_trait]
pub trait Progress: Send {
    /// Takes one line. An error ends the checkout as [`GitError::Refused`].
    async fn say(&mut self, text: String) -> Result<(), String>;
}

/// Reads repositories. An address is a URL, `user@host:path` or an absolute path; a password in it is on no command line, in no
/// message and in no file.
#[async_trait]
pub trait Git: Debug + Send + Sync {
    /// The commit that a branch, tag or commit is now. The repository is always asked, except for a full hash, which is
    /// itself. Dropping the future ends the question.
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError>;

    /// Writes the files of a commit, given by its full hash, and of its submodules to `dir`, in the place of what is there.
    /// A file `index` beside `dir` is written and removed meanwhile.
    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError>;
}
