//! Git itself: the program `git`, with mirrors in the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::checkout;
use super::mirrors::Mirrors;
use super::port::{Git, GitError, Progress};
use crate::platform::sandbox::Sandbox;

/// Runs the `git` program of this host.
#[derive(Debug, Clone)]
pub struct GitCli {
    /// The cache directory; mirrors are in its subdirectory `git/`, shared by all programs of this user.
    pub cache_dir: PathBuf,
    /// Every git runs behind its walls.
    pub sandbox: Arc<Sandbox>,
}

#[async_trait]
impl Git for GitCli {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        let git = Mirrors::new(&self.cache_dir, &self.sandbox).await?;
        git.resolve(repository, version, &CancellationToken::new()).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        let git = Mirrors::new(&self.cache_dir, &self.sandbox).await?;
        checkout::check_out(&git, (repository, commit), dir, cancel, progress).await
    }
}
