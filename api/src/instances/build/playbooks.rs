//! Checkout and playbooks. A run has a directory and a number; whoever takes over ends the orphan, takes in the rest of
//! what it printed, and runs the playbook again under the next number.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use diesel_async::AsyncConnection;
use shared_types::EventKind;
use shared_types::app_server::BuildStepKind;

use super::steps::deadline;
use super::{Build, StepError, reasons};
use crate::ansible::port::{RunSpec, SpoolLine, SpoolPosition, SpoolSink, Target, TaskProgress};
use crate::instances::read;
use crate::instances::store::{builds, pins};
use crate::jobs::lease;
use crate::logs::Line;
use crate::{events, metrics, servers};

/// How long what a playbook prints waits for a database that is away; a lease lasts a little longer.
const LOST_DATABASE: Duration = Duration::from_secs(10);
/// How often the database is tried meanwhile.
const RETRY_STORE: Duration = Duration::from_millis(250);

/// A playbook whose run is checked out and not begun, by the present holder of the lease.
#[derive(Debug)]
pub(super) struct Prepared {
    playbook: usize,
    spec: RunSpec,
}

impl Build<'_> {
    /// Checks the first playbook out.
    pub(super) async fn checkout(&self, prepared: &mut Option<Prepared>) -> Result<(), StepError> {
        *prepared = Some(self.prepare(0).await?);
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            let until = deadline(self.manager.options.global_timeout);
            Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Playbooks, until).await?)
        })
        .await
    }

    /// Runs the playbooks, one after another; the first that fails ends the build.
    pub(super) async fn playbooks(&self, prepared: &mut Option<Prepared>) -> Result<(), StepError> {
        if prepared.is_none() {
            self.recover().await?;
        }
        let first = usize::try_from(self.state.playbook).unwrap_or(0);
        let count = self.known.opened.playbooks.as_array().map_or(0, Vec::len);
        for playbook in first..count {
            let run = match prepared.take() {
                Some(run) if run.playbook == playbook => run,
                Some(_) | None => self.prepare(playbook).await?,
            };
            self.run(&run.spec).await?;
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            let until = deadline(self.manager.options.reboot_timeout);
            Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Reboot, until).await?)
        })
        .await
    }

    /// Begins a run: number, directory, checkout, virtualenv, the tasks it is known to have.
    async fn prepare(&self, playbook: usize) -> Result<Prepared, StepError> {
        let index = i32::try_from(playbook).unwrap_or(i32::MAX);
        let mut conn = self.manager.db.conn().await?;
        let before = if playbook == 0 { 0 } else { builds::tasks_done(&mut conn, self.id()).await? };
        let run = conn
            .transaction(async |conn| {
                lease::fence_progress(conn, self.lease).await??;
                Ok::<_, StepError>(builds::begin_run(conn, self.id(), index, before).await?)
            })
            .await?;
        drop(conn);
        let spec = self.spec(playbook, run).await?;
        let mut sink = Sink { build: self, keeps_position: false };
        let known = self.manager.ansible.prepare(&spec, &mut sink, &self.lease.halt).await?;
        let mut conn = self.manager.db.conn().await?;
        let total = before.saturating_add(i32::try_from(known).unwrap_or(0));
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            Ok::<_, StepError>(builds::keep_total(conn, self.id(), total).await?)
        })
        .await?;
        Ok(Prepared { playbook, spec })
    }

    async fn run(&self, spec: &RunSpec) -> Result<(), StepError> {
        self.tell(Line::info(format!("Running {} of {} at {}", spec.playbook_path, spec.source_repo, spec.commit)))
            .await?;
        let mut sink = Sink::of_run(self);
        let outcome = self.manager.ansible.run(spec, &mut sink, &self.lease.halt).await?;
        reasons::of_run(outcome, spec, |words| self.hide(words))
    }

    /// Ends what an earlier holder of the lease left, and takes in what it printed.
    async fn recover(&self) -> Result<(), StepError> {
        let dir = self.dir(self.state.playbook, self.state.run);
        let mut sink = Sink::of_run(self);
        self.manager.ansible.recover(&dir, self.state.position(), &mut sink).await?;
        let line = format!("The worker was interrupted; the playbook runs again, as run {}", self.state.run + 1);
        self.tell(Line::warning(line)).await
    }

    pub(super) fn dir(&self, playbook: i32, run: i32) -> PathBuf {
        self.manager.options.runs_dir.join(self.id().to_string()).join(format!("{playbook}-{run}"))
    }

    async fn spec(&self, playbook: usize, run: i32) -> Result<RunSpec, StepError> {
        let mut conn = self.manager.db.conn().await?;
        let pins = pins::of(&mut conn, self.id()).await?;
        let server = servers::store::find(&mut conn, self.row.server_id).await?;
        drop(conn);
        let record = read::playbooks(&self.known.opened.playbooks, &pins)?
            .into_iter()
            .nth(playbook)
            .ok_or_else(|| StepError::Fatal(format!("There is no playbook {playbook}")))?;
        let server = server.ok_or_else(|| StepError::Fatal("The VM is missing".into()))?;
        let login = self.manager.machines().login(&server)?;
        Ok(RunSpec {
            dir: self.dir(i32::try_from(playbook).unwrap_or(i32::MAX), run),
            commit: record.commit.unwrap_or(record.version),
            source_repo: record.source_repo,
            playbook_path: record.playbook_path,
            requirements_path: record.requirements_path,
            variables: read::pinned_variables(&self.known.opened, &pins)?,
            target: Target {
                ssh: login.address,
                user: login.user,
                private_key: self.manager.options.private_key.clone(),
                host_key: login.host_key,
            },
            line_timeout: self.manager.options.line_timeout,
            global_timeout: self.manager.options.global_timeout,
        })
    }
}

/// Takes what a run prints into the log, together with how far its spool was read.
pub(super) struct Sink<'a, 'b> {
    build: &'a Build<'b>,
    keeps_position: bool,
}

impl<'a, 'b> Sink<'a, 'b> {
    /// Of the run under way.
    pub(super) fn of_run(build: &'a Build<'b>) -> Self {
        Self { build, keeps_position: true }
    }
}

#[async_trait]
impl SpoolSink for Sink<'_, '_> {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        let patience = tokio::time::Instant::now() + LOST_DATABASE;
        loop {
            match self.store(&lines, position).await {
                // A database that restarts ends no playbook.
                Err(StepError::Db(error)) if error.may_go_better() && tokio::time::Instant::now() < patience => {
                    tokio::time::sleep(RETRY_STORE).await;
                }
                done => return done.map_err(|error| error.to_string()),
            }
        }
    }
}

impl Sink<'_, '_> {
    async fn store(&self, lines: &[SpoolLine], position: SpoolPosition) -> Result<(), StepError> {
        let build = self.build;
        let count = |progress| lines.iter().filter(|line| line.progress == Some(progress)).count();
        let (ended, added) = (count(TaskProgress::Ended), count(TaskProgress::Added));
        let is_begin = |line: &&SpoolLine| matches!(line.progress, Some(TaskProgress::Began | TaskProgress::Added));
        let began = lines.iter().rev().find(is_begin);
        let task = began.and_then(|line| line.task.as_deref()).map(|task| build.hide(task));
        let printed = lines;
        let lines: Vec<Line> = printed
            .iter()
            .map(|SpoolLine { at, level, text, task, progress: _ }| Line {
                at: *at,
                level: *level,
                text: text.clone(),
                task: task.clone(),
            })
            .collect();
        let mut conn = build.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, build.lease).await??;
            build.write(conn, lines).await?;
            if self.keeps_position {
                let [ended, added] = [ended, added].map(|count| i32::try_from(count).unwrap_or(i32::MAX));
                let tasks = builds::Tasks { ended, added, began: task.as_deref() };
                builds::keep_progress(conn, build.id(), position, tasks).await?;
                // Of lines alone, the log's own notification tells.
                if ended > 0 || task.is_some() {
                    let about = events::About::app_server(build.row.instance_id, build.row.id);
                    events::record(conn, EventKind::AppServerUpdated, about).await?;
                }
            }
            Ok::<_, StepError>(())
        })
        .await?;
        if self.keeps_position {
            metrics::lines_stored(printed.iter().map(|line| line.at));
        }
        Ok(())
    }
}
