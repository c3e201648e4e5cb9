//! Git itself: the program `git`, with mirrors in the cache.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::checkout;
use super::credentials::{Credentials, NoCredentials};
use super::mirrors::Mirrors;
use super::port::{Git, GitError, Progress};
use super::sources::Sources;
use crate::platform::sandbox::Sandbox;

/// Runs the `git` program of this host.
#[derive(Debug, Clone)]
pub struct GitCli {
    /// The cache directory; mirrors are in its subdirectory `git/`, shared by all programs of this user.
    pub cache_dir: PathBuf,
    /// The repositories that may be read, submodules included.
    pub sources: Sources,
    /// The credentials of private repositories.
    pub credentials: Arc<dyn Credentials>,
    /// Every git runs behind its walls.
    pub sandbox: Arc<Sandbox>,
}

impl GitCli {
    /// Without credentials.
    pub fn public(cache_dir: PathBuf, sources: Sources, sandbox: Arc<Sandbox>) -> Self {
        Self { cache_dir, sources, credentials: Arc::new(NoCredentials), sandbox }
    }

    async fn mirrors(&self) -> Result<Mirrors<'_>, GitError> {
        Mirrors::new(&self.cache_dir, &self.sources, self.credentials.as_ref(), &self.sandbox).await
    }
}

#[async_trait]
impl Git for GitCli {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        self.mirrors().await?.resolve(repository, version, &CancellationToken::new()).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        checkout::check_out(&self.mirrors().await?, (repository, commit), dir, cancel, progress).await
    }
}
