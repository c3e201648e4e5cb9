//! An Ansible that prints everything it is given.

use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use chrono::Utc;
use ocim::ansible::fake::FakeAnsible;
use ocim::ansible::port::{
    Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, TaskProgress,
};
use ocim::git::fake::FakeGit;
use ocim::git::port::{Git, GitError, Progress};
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

/// Prints everything it is given, as output, task names and debug text.
#[derive(Debug)]
pub struct Parrot {
    pub git: FakeGit,
    pub inner: FakeAnsible,
    /// Everything that it was given.
    pub given: Mutex<String>,
}

impl Parrot {
    fn lines(&self, words: &str) -> Vec<SpoolLine> {
        self.given.lock().unwrap().push_str(words);
        let text = |text: String| SpoolLine {
            at: Utc::now(),
            level: LogLevel::Info,
            task: Some(text.clone()),
            text,
            progress: Some(TaskProgress::Began),
        };
        vec![text(words.to_owned()), text(format!("{words:?}"))]
    }
}

#[async_trait]
impl Git for Parrot {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        self.given.lock().unwrap().push_str(repository);
        self.git.resolve(repository, version).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        self.git.check_out(repository, commit, dir, progress, cancel).await
    }
}

#[async_trait]
impl Ansible for Parrot {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        sink.take(self.lines(&spec.source_repo), SpoolPosition::default()).await.unwrap();
        self.inner.prepare(spec, sink, cancel).await
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        _: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        let variables = serde_json::to_string_pretty(&spec.variables).unwrap();
        let lines = self.lines(&format!("{variables} {}", spec.source_repo));
        sink.take(lines, SpoolPosition { events: 1, errors: 0 }).await.map_err(AnsibleError::Sink)?;
        Ok(RunOutcome::Failed { exit_status: Some(2), failed_task: Some(("say".to_owned(), variables)), words: None })
    }

    async fn recover(&self, _: &Path, _: SpoolPosition, _: &mut dyn SpoolSink) -> Result<bool, AnsibleError> {
        Ok(false)
    }
}
