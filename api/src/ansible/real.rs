//! Ansible itself: `git`, a virtualenv and `ansible-playbook`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use super::checkout::Git;
use super::command::{self, Printer};
use super::port::{Ansible, AnsibleError, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use super::run_dir::{Prepared, RunDir};
use super::runner::{self, Isolation};
use super::spool::Spool;
use super::{recover, virtualenv};

/// So long `--list-tasks` may take; a playbook whose tasks are not known runs all the same.
const LIST_LIMIT: Duration = Duration::from_secs(60);

/// What Ansible exits with when a playbook is no playbook: broken YAML, a module that there is not. It has asked no machine
/// then, and would find the same another time.
const UNREADABLE: i32 = 4;

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

    async fn count_tasks(&self, spec: &RunSpec, dir: &RunDir, cancel: &CancellationToken) -> Result<u32, AnsibleError> {
        let words = runner::playbook_command(dir, spec)?;
        dir.write_inputs(spec)?;
        let Some((program, arguments)) = words.split_first() else { return Ok(0) };
        let mut command = command::command(program);
        command.args(arguments).arg("--list-tasks").current_dir(runner::work_dir(dir, spec));
        runner::environment(&mut command, dir, spec, &dir.join("tmp"));
        let listed = command::capture(command, LIST_LIMIT, cancel).await;
        dir.remove_variables()?;
        match listed {
            Ok(output) if output.code == Some(UNREADABLE) => {
                let words = first_words(&output.stderr);
                Err(AnsibleError::Permanent(format!("{} cannot be read: {words}", spec.playbook_path)))
            }
            Ok(output) => Ok(if output.success { count_listed(&output.stdout) } else { 0 }),
            Err(AnsibleError::Cancelled) => Err(AnsibleError::Cancelled),
            Err(AnsibleError::Permanent(_) | AnsibleError::Transient(_) | AnsibleError::Sink(_)) => Ok(0),
        }
    }
}

#[async_trait]
impl Ansible for AnsibleCore {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, AnsibleError> {
        self.git().resolve(repository, version, &CancellationToken::new()).await
    }

    async fn prepare(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        let dir = RunDir::create(&spec.dir)?;
        let mut printer = Printer::new(sink, Spool::end(dir.path()));
        let git = self.git();
        let commit = git.resolve(&spec.source_repo, &spec.commit, cancel).await?;
        git.check_out(&spec.source_repo, &commit, &dir, cancel, &mut printer).await?;
        let playbook = dir.in_checkout("playbook", &spec.playbook_path)?;
        let requirements = dir.in_checkout("requirements file", &spec.requirements_path)?;
        let virtualenv = virtualenv::ensure(&self.config, &requirements, &dir, cancel, &mut printer).await?;
        dir.write_prepared(&Prepared { virtualenv })?;
        let count = self.count_tasks(spec, &dir, cancel).await?;
        tracing::debug!(playbook = %playbook.display(), %commit, count, "prepared a playbook");
        Ok(count)
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

/// The error without what Ansible draws around it.
fn first_words(stderr: &str) -> String {
    let is_said = |line: &&str| !line.is_empty() && !line.starts_with("[WARNING]");
    let words: Vec<&str> = stderr.lines().map(str::trim).filter(is_said).take(3).collect();
    words.join(" ").chars().take(500).collect()
}

/// A task's line is indented by six spaces and ends with its tags.
fn count_listed(text: &str) -> u32 {
    let is_task = |line: &&str| {
        line.strip_prefix("      ").is_some_and(|task| !task.starts_with(' ') && task.contains("\tTAGS: ["))
    };
    u32::try_from(text.lines().filter(is_task).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tasks_and_not_plays() {
        let text = "\nplaybook: a.yml\n\n  play #1 (app): One\tTAGS: []\n    tasks:\n      role : a\tTAGS: []\n      b: c\tTAGS: [x]\n\n  play #2 (app): Two\tTAGS: []\n    tasks:\n";
        assert_eq!(count_listed(text), 2);
        assert_eq!(count_listed("ERROR! the playbook is broken"), 0);
    }
}
