//! Git itself: the program `git`, with mirrors in the cache.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::checkout;
use super::mirrors::Mirrors;
use super::port::{Git, GitError, Progress};

/// Runs the `git` program of this host.
#[derive(Debug, Clone)]
pub struct GitCli {
    /// The cache directory; mirrors are in its subdirectory `git/`, shared by all programs of this user.
    pub cache_dir: PathBuf,
}

#[async_trait]
impl Git for GitCli {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        Mirrors::new(&self.cache_dir).resolve(repository, version, &CancellationToken::new()).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        checkout::check_out(&Mirrors::new(&self.cache_dir), (repository, commit), dir, cancel, progress).await
    }
}
