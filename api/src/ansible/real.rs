//! Ansible itself: `git`, a virtualenv and `ansible-playbook`.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::command::Printer;
use super::git::Git;
use super::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use super::run_dir::{Loaded, Prepared, RunDir};
use super::runner::{self, Isolation};
use super::spool::Spool;
use super::{checkout, galaxy, loading, recover, virtualenv};

/// Where things are.
#[derive(Debug, Clone)]
pub struct AnsibleConfig {
    /// Clones, virtualenvs and wheels, kept between runs and shared by all programs of this user.
    pub cache_dir: PathBuf,
    /// The Python that makes virtualenvs: a name or a path.
    pub python: String,
}

/// Runs real playbooks.
#[derive(Debug)]
pub struct AnsibleCore {
    config: AnsibleConfig,
    isolation: OnceCell<Isolation>,
}

impl AnsibleCore {
    /// Touches nothing yet.
    pub fn new(config: AnsibleConfig) -> Self {
        Self { config, isolation: OnceCell::new() }
    }

    fn git(&self) -> Git<'_> {
        Git::new(&self.config.cache_dir)
    }

    /// What the directory holds already of this very playbook.
    fn loaded(spec: &RunSpec, dir: &RunDir) -> Result<Option<Loaded>, AnsibleError> {
        // A branch may be another commit by now.
        let is_pinned = spec.commit.len() == 40 && spec.commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(Prepared { virtualenv, installed, loaded }) = dir.prepared()?.filter(|_| is_pinned) else {
            return Ok(None);
        };
        let is_there = virtualenv.join("bin/python").is_file() && installed.is_none_or(|installed| installed.is_dir());
        let is_this = |loaded: &Loaded| is_there && loaded.fingerprint == loading::fingerprint(spec);
        Ok(loaded.filter(is_this))
    }
}

#[async_trait]
impl Ansible for AnsibleCore {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, AnsibleError> {
        self.git().resolve(repository, version, &CancellationToken::new()).await
    }

    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        let dir = RunDir::create(&spec.dir)?;
        let run = loading::on_no_machine(spec.clone(), &dir);
        if let Some(loaded) = Self::loaded(&run, &dir)? {
            return Ok(loaded.tasks);
        }
        let mut printer = Printer::new(sink, Spool::end(dir.path()));
        let git = self.git();
        let commit = git.resolve(&spec.source_repo, &spec.commit, cancel).await?;
        checkout::check_out(&git, (&spec.source_repo, &commit), &dir, cancel, &mut printer).await?;
        dir.in_checkout("playbook", &spec.playbook_path)?;
        let requirements = dir.in_checkout("requirements file", &spec.requirements_path)?;
        let virtualenv = virtualenv::ensure(&self.config, &requirements, &dir, cancel, &mut printer).await?;
        dir.make_home()?;
        let wanted = galaxy::Wanted {
            virtualenv: &virtualenv,
            cache_dir: &self.config.cache_dir,
            playbook_path: &spec.playbook_path,
            commit: &commit,
            configuration: &runner::configuration(&dir, &run),
        };
        let installed = galaxy::ensure(&wanted, &dir, cancel, &mut printer).await?;
        let mut prepared = Prepared { virtualenv, installed, loaded: None };
        dir.write_prepared(&prepared)?;
        let loaded = loading::load(spec, &dir, cancel, &mut printer).await?;
        let tasks = loaded.tasks;
        prepared.loaded = Some(loaded);
        dir.write_prepared(&prepared)?;
        tracing::debug!(playbook = %spec.playbook_path, %commit, tasks, "prepared a playbook");
        Ok(tasks)
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        let isolation = *self.isolation.get_or_init(Isolation::probe).await;
        runner::run(isolation, spec, sink, cancel).await
    }

    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        recover::recover(dir, position, sink).await
    }
}
