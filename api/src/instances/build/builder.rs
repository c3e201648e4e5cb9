//! The worker's side of builds: slots, leases, and the loop that does one step after another.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use diesel_async::AsyncConnection;
use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::playbooks::Prepared;
use super::{Build, StepError};
use crate::db::DbError;
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::store::{app_servers, builds};
use crate::instances::{Manager, apply_routing};
use crate::jobs::lease::{self, Lease};
use crate::logs::{self, Line};

/// Builds app servers, so many at once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Builder {
    manager: Arc<Manager>,
    slots: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Builder {
    /// Builds at most `slots` app servers at once, until `stop`.
    pub fn new(manager: Arc<Manager>, slots: usize, stop: CancellationToken) -> Self {
        Self { manager, slots: Arc::new(Semaphore::new(slots)), stop }
    }

    /// What the builder works with.
    pub fn manager(&self) -> &Manager {
        &self.manager
    }

    /// Goes on with a build as far as it can be gone. Nothing to do, somebody at it already, no slot free: success; a build
    /// without a slot is taken up by [`Builder::dispatch`] when one is free.
    ///
    /// # Errors
    /// When the database does not answer; the build goes on when it does.
    pub async fn advance(&self, id: AppServerId) -> Result<(), DbError> {
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            return Ok(());
        };
        let mut conn = self.manager.db.conn().await?;
        if self.stop.is_cancelled() || !builds::is_building(&mut conn, id).await? {
            return Ok(());
        }
        let Some(lease) = lease::acquire(&mut conn, id, self.stop.child_token()).await? else {
            return Ok(());
        };
        drop(conn);
        let result = lease::keep(&self.manager.db, &lease, drive(&self.manager, &lease)).await;
        lease::release(&mut *self.manager.db.conn().await?, &lease).await?;
        drop(slot);
        match result {
            Ok(()) | Err(StepError::Interrupted) => {}
            Err(StepError::Db(error)) => return Err(error),
            Err(error @ (StepError::Fatal(_) | StepError::Transient(_))) => {
                tracing::error!(app_server = %id, %error, "a step's end was not written down");
            }
        }
        self.dispatch().await
    }

    /// Takes up builds that nobody is at, as many as there are free slots.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dispatch(&self) -> Result<(), DbError> {
        let free = i32::try_from(self.slots.available_permits()).unwrap_or(i32::MAX);
        if free == 0 || self.stop.is_cancelled() {
            return Ok(());
        }
        let mut conn = self.manager.db.conn().await?;
        lease::free_dead(&mut conn).await?;
        for id in builds::unattended(&mut conn, free).await? {
            AdvanceAppServer::enqueue(&mut conn, id).await?;
        }
        Ok(())
    }

    /// Tells the gateway whatever it has not been told.
    ///
    /// # Errors
    /// When the database or the gateway does not answer.
    pub async fn reroute(&self) -> Result<(), apply_routing::RoutingError> {
        let mut conn = self.manager.db.conn().await?;
        let behind = crate::instances::store::instances::unrouted(&mut conn).await?;
        drop(conn);
        for id in behind {
            apply_routing::apply_routing(&self.manager, id).await?;
        }
        Ok(())
    }
}

/// Does step after step until the build is over.
async fn drive(manager: &Manager, lease: &Lease) -> Result<(), StepError> {
    let mut prepared = None;
    let mut told: Option<String> = None;
    let mut tries = 0;
    loop {
        if lease.lost.is_cancelled() {
            return Err(StepError::Interrupted);
        }
        let build = Build::load(manager, lease).await?;
        let Some(step) = build.step()? else {
            remove_runs(&manager.options.runs_dir, lease.app_server).await;
            return Ok(());
        };
        match one_step(&build, step, &mut prepared).await {
            Ok(()) => (told, tries) = (None, 0),
            Err(StepError::Transient(reason)) if build.state.deadline.is_none_or(|deadline| Utc::now() < deadline) => {
                if told.as_ref() != Some(&reason) {
                    build.tell(Line::warning(format!("{}: {reason} (trying again)", step.name()))).await?;
                    told = Some(reason);
                }
                tries += 1;
                pause(lease, back_off(manager.options.poll, tries)).await?;
            }
            Err(StepError::Transient(reason) | StepError::Fatal(reason)) => build.fail(&reason).await?,
            Err(error @ (StepError::Interrupted | StepError::Db(_))) => return Err(error),
        }
    }
}

async fn one_step(build: &Build<'_>, step: BuildStepKind, prepared: &mut Option<Prepared>) -> Result<(), StepError> {
    match step {
        BuildStepKind::Pin => build.pin().await,
        BuildStepKind::Server => build.server().await,
        BuildStepKind::Checkout => build.checkout(prepared).await,
        BuildStepKind::Playbooks => build.playbooks(prepared).await,
        BuildStepKind::Reboot => build.reboot().await,
        BuildStepKind::Checks => build.checks().await,
    }
}

/// Twice as long after each try, up to ten seconds.
fn back_off(poll: Duration, tries: u32) -> Duration {
    poll.saturating_mul(2u32.saturating_pow(tries)).min(Duration::from_secs(10))
}

/// Waits a moment before looking again.
pub(super) async fn pause(lease: &Lease, moment: Duration) -> Result<(), StepError> {
    match lease.lost.run_until_cancelled(tokio::time::sleep(moment)).await {
        Some(()) => Ok(()),
        None => Err(StepError::Interrupted),
    }
}

/// What runs wrote is in the log by now. What cannot be removed is reported and takes nothing but space.
async fn remove_runs(runs_dir: &Path, id: AppServerId) {
    let dir = runs_dir.join(id.to_string());
    match tokio::fs::remove_dir_all(&dir).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(dir = %dir.display(), %error, "a build's directory could not be removed");
        }
        Ok(()) | Err(_) => {}
    }
}

impl Build<'_> {
    /// Writes a line of the build's log.
    pub(super) async fn tell(&self, line: Line) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            Ok(logs::append(conn, self.log(), &[line]).await?)
        })
        .await
    }

    /// Ends the build: `error` before there was a machine to configure, `failed` after.
    async fn fail(&self, reason: &str) -> Result<(), StepError> {
        let to = match self.row.status {
            AppServerStatus::New | AppServerStatus::Waiting => AppServerStatus::Error,
            AppServerStatus::Configuring
            | AppServerStatus::Running
            | AppServerStatus::Failed
            | AppServerStatus::Error
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped => AppServerStatus::Failed,
        };
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            builds::end_steps(conn, self.id(), None, false).await?;
            app_servers::transition(conn, &self.row, to, Some(reason)).await?;
            Ok(())
        })
        .await
    }
}
