//! A git that returns scripted answers, for tests. Starts no process.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::port::{Git, GitError, Progress};

/// How often each operation was called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FakeCalls {
    /// Calls of [`Git::resolve`].
    pub resolve: u32,
    /// Calls of [`Git::check_out`].
    pub check_out: u32,
}

/// Scripted answers, used in order. When none is left, operations succeed.
#[derive(Debug, Default)]
struct Script {
    calls: FakeCalls,
    resolves: VecDeque<Result<String, GitError>>,
    is_silent: bool,
}

/// Plays a script. By default every repository has every version, all at the same commit, and a checkout has no files.
#[derive(Debug, Default)]
pub struct FakeGit {
    script: Mutex<Script>,
}

impl FakeGit {
    /// Sets the answer of the next `resolve` without a scripted answer. May be called several times.
    pub fn next_resolve(&self, answer: Result<String, GitError>) {
        self.script().resolves.push_back(answer);
    }

    /// Sets whether `resolve` never returns.
    pub fn set_silent(&self, is_silent: bool) {
        self.script().is_silent = is_silent;
    }

    /// How often each operation was called.
    pub fn calls(&self) -> FakeCalls {
        self.script().calls
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The commit of a version: a full hash stands for itself.
fn commit_of(version: &str) -> String {
    if version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return version.to_owned();
    }
    hex::encode(Sha256::digest(version)).chars().take(40).collect()
}

#[async_trait]
impl Git for FakeGit {
    async fn resolve(&self, _repository: &str, version: &str) -> Result<String, GitError> {
        let (is_silent, answer) = {
            let mut script = self.script();
            script.calls.resolve += 1;
            (script.is_silent, script.resolves.pop_front())
        };
        if is_silent {
            std::future::pending::<()>().await;
        }
        answer.unwrap_or_else(|| Ok(commit_of(version)))
    }

    async fn check_out(
        &self,
        _repository: &str,
        _commit: &str,
        dir: &Path,
        _progress: &mut dyn Progress,
        _cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        self.script().calls.check_out += 1;
        std::fs::create_dir_all(dir).map_err(|error| GitError::Transient(format!("{}: {error}", dir.display())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn answers_as_told_and_then_well() {
        let git = FakeGit::default();
        let gone = GitError::Permanent("no such branch".to_owned());
        git.next_resolve(Err(gone.clone()));
        assert_eq!(git.resolve("/x", "master").await, Err(gone));
        let commit = git.resolve("/x", "master").await.unwrap();
        assert_eq!((commit.len(), git.resolve("/x", &commit).await.unwrap()), (40, commit));
        assert_eq!(git.calls(), FakeCalls { resolve: 3, check_out: 0 });
    }
}
