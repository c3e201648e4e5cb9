//! The hooks of an app server whose build has ended: playbooks that run when traffic moves. They share repository,
//! commit, variables and requirements with its first playbook, and the lease of its build, so that one worker runs
//! them, one after another. `traffic` and [`super::terminate`] decide what waits for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel_async::AsyncConnection;
use shared_types::hook::Moment;
use shared_types::{AppServerStatus, EventKind};
use tokio::time::Instant;

use super::playbooks::Sink;
use super::slots::Slot;
use super::{Build, StepError};
use crate::ansible::port::LoadSpec;
use crate::instances::Manager;
use crate::instances::builds::lease::{self, Lease};
use crate::instances::jobs::{ActivateAfterHooks, TerminateMachine};
use crate::instances::store::hook_runs::{self, HookRunRow};
use crate::instances::store::instances;
use crate::platform::events;
use crate::platform::logs::Line;
use crate::platform::removal;

/// Limit for all hooks of a moment, anew for each worker. A background worker may need ten minutes for its task.
const LIMIT: Duration = Duration::from_secs(15 * 60);
/// How many runs may begin: a hook that crashes its worker each time must not be retried for ever.
const MOST_RUNS: i32 = 8;

/// Runs the hooks that are due, in the order in which they became due.
pub(super) async fn run_due(manager: &Manager, lease: &Lease) -> Result<(), StepError> {
    let (mut known, slot) = (None, Slot::none());
    loop {
        if lease.lost.is_cancelled() {
            return Err(StepError::Interrupted);
        }
        let Some(due) = hook_runs::next(&mut *manager.db.conn().await?, lease.app_server).await? else {
            return Ok(());
        };
        let build = Build::load(manager, (lease, &slot), known.take()).await?;
        build.run_moment(&due).await?;
        known = Some(build.known.clone());
    }
}

/// The directory of a moment's runs; unlike a build's, its name is not an app server's id.
pub(in crate::instances) fn directory(runs_dir: &Path, id: i64) -> PathBuf {
    runs_dir.join(format!("{DIRECTORY}{id}"))
}

/// Prefix of such a directory's name; the rest is the id in `hook_runs`.
pub(in crate::instances) const DIRECTORY: &str = "hooks-";

impl Build<'_> {
    /// Runs the hooks of one moment, and records how they ended.
    async fn run_moment(&self, due: &HookRunRow) -> Result<(), StepError> {
        let moment = due.moment()?;
        let failure = match self.obstacle(moment).await? {
            Some(Obstacle::NotNeeded) => None,
            Some(Obstacle::Impossible(why)) => Some(why),
            None => match self.run_hooks(due, moment).await {
                Ok(()) => None,
                Err(
                    StepError::Permanent(why)
                    | StepError::Fatal(why)
                    | StepError::Transient(why)
                    | StepError::NoRoom(why),
                ) => Some(why),
                Err(error @ (StepError::Interrupted | StepError::Db(_))) => return Err(error),
            },
        };
        remove(&directory(&self.manager.options.runs_dir, due.id)).await;
        self.end_moment(due, moment, failure).await
    }

    /// Why the hooks are not run; None: they run.
    async fn obstacle(&self, moment: Moment) -> Result<Option<Obstacle>, StepError> {
        let is_running = self.row.status == AppServerStatus::Running;
        match moment {
            Moment::BeforeTraffic if !is_running => {
                Ok(Some(Obstacle::Impossible(format!("App server {} is {}.", self.id(), self.row.status.as_str()))))
            }
            Moment::BeforeTraffic | Moment::BeforeEnd => Ok(None),
            Moment::AfterTraffic => {
                let mut conn = self.manager.db.conn().await?;
                let instance = instances::find(&mut conn, self.row.instance_id).await?;
                let is_active = instance.is_some_and(|one| one.active_app_server_id == Some(self.id()));
                let is_wanted = is_active || hook_runs::of_activation(&mut conn, self.id(), false).await?.is_some();
                Ok(is_wanted.then_some(Obstacle::NotNeeded))
            }
        }
    }

    /// Runs the playbooks from the first one, even if an earlier worker had reached a later one.
    async fn run_hooks(&self, due: &HookRunRow, moment: Moment) -> Result<(), StepError> {
        let until = Instant::now() + LIMIT;
        if due.run > 0 {
            self.recover_hook(due, moment).await?;
        }
        let hooks = self.row.hooks_at(moment)?;
        for (playbook, path) in (0..).zip(hooks) {
            self.run_hook(due, moment, playbook, path, until).await?;
        }
        Ok(())
    }

    async fn run_hook(
        &self,
        due: &HookRunRow,
        moment: Moment,
        playbook: i32,
        path: String,
        until: Instant,
    ) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        let run = conn
            .transaction(async |conn| {
                lease::fence(conn, self.lease).await??;
                Ok::<_, StepError>(hook_runs::begin_run(conn, due.id, playbook).await?)
            })
            .await?;
        drop(conn);
        if run > MOST_RUNS {
            return Err(StepError::Fatal("Its worker was interrupted too often".to_owned()));
        }
        let dir = directory(&self.manager.options.runs_dir, due.id).join(format!("{playbook}-{run}"));
        let specs = self.load_specs().await?;
        let first = specs.into_iter().next();
        let first = first.ok_or_else(|| StepError::Permanent("The app server has no playbook".to_owned()))?;
        let load = LoadSpec { dir: dir.clone(), playbook_path: path, ..first };
        self.tell(Line::info(format!("{}: {} of {}", moment.name(), load.playbook_path, load.source_repo))).await?;
        let mut sink = Sink::of_hook(self, due.id);
        let too_long = || StepError::Fatal(format!("It took longer than {} s and was ended", LIMIT.as_secs()));
        let prepared = self.manager.ansible.prepare(&load, &mut sink, &self.lease.halt);
        tokio::time::timeout_at(until, prepared).await.map_err(|_| too_long())??;
        let left = until.saturating_duration_since(Instant::now());
        let line_timeout = self.manager.options.line_timeout.min(left);
        let spec = load.run(dir, self.target().await?, line_timeout, left);
        let outcome = self.manager.ansible.run(&spec, &mut sink, &self.lease.halt).await?;
        self.ended(outcome, &spec).await
    }

    /// Ends processes that an earlier lease holder left, and stores the rest of their output.
    async fn recover_hook(&self, due: &HookRunRow, moment: Moment) -> Result<(), StepError> {
        let dir = directory(&self.manager.options.runs_dir, due.id).join(format!("{}-{}", due.playbook, due.run));
        let mut sink = Sink::of_hook(self, due.id);
        self.manager.ansible.recover(&dir, due.position(), &mut sink).await?;
        self.fence_machine().await?;
        self.tell(Line::warning(format!("{}: the worker was interrupted; it runs again", moment.name()))).await
    }

    /// Records how a moment's hooks ended, and enqueues the job that waited for them.
    async fn end_moment(&self, due: &HookRunRow, moment: Moment, failure: Option<String>) -> Result<(), StepError> {
        let failure = failure.map(|why| self.hide(&why));
        let line = match (&failure, moment) {
            (None, _) => Line::info(format!("{}: done", moment.name())),
            (Some(why), Moment::BeforeTraffic) => Line::error(format!("{}: {why}", moment.name())),
            (Some(why), Moment::AfterTraffic | Moment::BeforeEnd) => {
                Line::warning(format!("{}: {why} (nothing waits for it)", moment.name()))
            }
        };
        let id = self.id();
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            hook_runs::end(conn, due.id, failure.as_deref()).await?;
            self.write(conn, vec![line]).await?;
            match moment {
                Moment::BeforeTraffic => ActivateAfterHooks::enqueue(conn, id).await?,
                Moment::AfterTraffic => drop(hook_runs::settle(conn, due.id, failure.as_deref()).await?),
                Moment::BeforeEnd => {
                    hook_runs::settle(conn, due.id, failure.as_deref()).await?;
                    TerminateMachine::enqueue(conn, id).await?;
                }
            }
            let about = events::About::app_server(self.row.instance_id, id);
            Ok(events::record(conn, EventKind::AppServerUpdated, about).await?)
        })
        .await
    }
}

/// Why hooks are not run.
enum Obstacle {
    /// The app server has traffic, or is about to get it.
    NotNeeded,
    /// The hooks cannot run; the reason, for users.
    Impossible(String),
}

async fn remove(dir: &Path) {
    if let Err(error) = removal::remove(dir.to_owned()).await {
        tracing::warn!(dir = %dir.display(), %error, "the directory of a hook could not be removed");
    }
}
