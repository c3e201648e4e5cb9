//! The real Ansible: a virtualenv and `ansible-playbook`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::inside::{Inside, is_made};
use super::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use super::printing::Printer;
use super::requirements::Origin;
use super::run_dir::{Loaded, Prepared, RunDir};
use super::runner::{self, Isolation};
use super::spool::Spool;
use super::{galaxy, loading, recover, virtualenv, wheels};
use crate::git::port::Git;
use crate::platform::sandbox::Sandbox;

/// Settings of [`AnsibleCore`].
#[derive(Debug, Clone)]
pub struct AnsibleConfig {
    /// Cache for virtualenvs and wheels, kept between runs and shared by all programs of this user.
    pub cache_dir: PathBuf,
    /// The interpreters for virtualenvs, by name or path, in the order in which they are tried. At least one.
    pub pythons: Vec<String>,
    /// Every program of a run is behind its walls.
    pub sandbox: Arc<Sandbox>,
}

/// Runs real playbooks with `ansible-playbook`.
#[derive(Debug)]
pub struct AnsibleCore {
    config: AnsibleConfig,
    git: Arc<dyn Git>,
    isolation: OnceCell<Isolation>,
}

impl AnsibleCore {
    /// Does no I/O. `git` checks out the configuration repositories.
    pub fn new(config: AnsibleConfig, git: Arc<dyn Git>) -> Self {
        Self { config, git, isolation: OnceCell::new() }
    }

    /// The loaded playbook of the directory, if it is this very one.
    fn loaded(spec: &RunSpec, dir: &RunDir) -> Result<Option<Loaded>, AnsibleError> {
        // A branch may have moved since.
        let is_pinned = spec.commit.len() == 40 && spec.commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some(Prepared { virtualenv, installed, wheels, loaded }) = dir.prepared()?.filter(|_| is_pinned) else {
            return Ok(None);
        };
        // An earlier version left no file that says so, and may have made it readable to this user alone.
        let is_there = is_made(&virtualenv)
            && virtualenv.join("bin/python").is_file()
            && installed.is_none_or(|installed| is_made(&installed) && installed.is_dir())
            && wheels.is_none_or(|wheels| wheels.is_file());
        let is_this = |loaded: &Loaded| is_there && loaded.fingerprint == loading::fingerprint(spec);
        Ok(loaded.filter(is_this))
    }
}

#[async_trait]
impl Ansible for AnsibleCore {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        let dir = RunDir::create(&spec.dir)?;
        let run = loading::on_no_machine(spec.clone(), &dir);
        let _held = dir.prepared()?.map(|prepared| prepared.hold()).transpose()?;
        if let Some(loaded) = Self::loaded(&run, &dir)? {
            return Ok(loaded.tasks);
        }
        let mut printer = Printer::new(sink, Spool::end(dir.path()));
        let commit = cancel
            .run_until_cancelled(self.git.resolve(&spec.source_repo, &spec.commit))
            .await
            .ok_or(AnsibleError::Cancelled)??;
        self.git.check_out(&spec.source_repo, &commit, &dir.checkout(), &mut printer, cancel).await?;
        dir.in_checkout("playbook", &spec.playbook_path)?;
        let origin = Origin { source_repo: &spec.source_repo, commit: &commit };
        let inside = Inside::new(&self.config.sandbox).await?;
        let place = (&dir, origin, &inside);
        let (virtualenv, _held) =
            virtualenv::ensure(&self.config, &spec.requirements, place, cancel, &mut printer).await?;
        dir.make_home()?;
        let wanted = galaxy::Wanted {
            virtualenv: &virtualenv,
            cache_dir: &self.config.cache_dir,
            playbook_path: &spec.playbook_path,
            origin,
            configuration: &runner::configuration(&dir, &run),
        };
        let (installed, _held) = galaxy::ensure(&wanted, (&dir, &inside), cancel, &mut printer).await?.unzip();
        let wheels = if spec.variables.contains_key(wheels::VARIABLE) {
            None
        } else {
            let places = (self.config.cache_dir.as_path(), virtualenv.as_path());
            wheels::ensure(places, &spec.playbook_path, (&dir, origin, &inside), cancel, &mut printer).await?
        };
        let (wheels, _held) = wheels.unzip();
        let mut prepared = Prepared { virtualenv, installed, wheels, loaded: None };
        dir.write_prepared(&prepared)?;
        let loaded = loading::load(spec, &dir, &inside, cancel, &mut printer).await?;
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
        let _held = RunDir::create(&spec.dir)?.prepared()?.map(|prepared| prepared.hold()).transpose()?;
        let inside = Inside::new(&self.config.sandbox).await?;
        let isolation = if self.config.sandbox.is_off() {
            *self.isolation.get_or_init(Isolation::probe).await
        } else {
            Isolation::Wall
        };
        runner::run(isolation, &inside, spec, sink, cancel).await
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
