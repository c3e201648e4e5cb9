//! The port to git.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::path::Path;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::platform::command::CommandError;

/// Why an operation on a repository failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// A retry would fail in the same way: no such repository, ref or commit, or no permission to read it.
    #[error("{0}")]
    Permanent(String),
    /// A retry may succeed: the network, the server, the disk.
    #[error("{0}")]
    Transient(String),
    /// [`Progress`] refused a line; its error text.
    #[error("{0}")]
    Refused(String),
    /// The cancellation token was cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl From<CommandError> for GitError {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::NoSetpriv | CommandError::NoSandbox(_) | CommandError::Limit(_) => {
                Self::Permanent(error.to_string())
            }
            CommandError::System(_) | CommandError::TimeLimit(_) => Self::Transient(error.to_string()),
            CommandError::Cancelled => Self::Cancelled,
        }
    }
}

/// Receives the progress messages of a checkout.
#[async_trait]
pub trait Progress: Send {
    /// Takes one line. An error ends the checkout as [`GitError::Refused`].
    async fn say(&mut self, text: String) -> Result<(), String>;
}

/// Reads repositories. A repository is a URL, `user@host:path` or an absolute path; a password in a URL appears in no
/// command line, message or file.
#[async_trait]
pub trait Git: Debug + Send + Sync {
    /// The commit that a branch, tag or commit is now. The repository is always asked, except for a full hash, which is
    /// returned as it is. Dropping the future cancels the request.
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError>;

    /// Writes the files of a commit, given by its full hash, and of its submodules to `dir`, replacing its contents. A
    /// directory `index` beside `dir` is created and removed meanwhile.
    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError>;
}
