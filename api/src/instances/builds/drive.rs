//! The loop that does one step of a build after another, until it is over.

use std::path::Path;
use std::time::Duration;

use chrono::Utc;
use diesel_async::AsyncConnection;
use shared_types::AppServerStatus;
use shared_types::app_server::{BuildStepKind, StepOutcome};

use super::{Build, StepError};
use crate::instances::builds::lease::{self, Lease};
use crate::instances::builds::migration::{self, NextAttempt};
use crate::instances::builds::slots::Slot;
use crate::instances::builds::{failure_mail, launch};
use crate::instances::store::{app_servers, builds, migrating};
use crate::instances::{Manager, Refusal};
use crate::platform::logs::Line;
use crate::platform::removal;

/// Does step after step until the build is over; stops the build if a stop was requested.
pub(super) async fn drive(manager: &Manager, lease: &Lease, slot: &Slot) -> Result<(), StepError> {
    let mut told: Option<String> = None;
    let mut tries = 0;
    let mut known = None;
    loop {
        if lease.lost.is_cancelled() {
            return Err(StepError::Interrupted);
        }
        let build = Build::load(manager, (lease, slot), known.take()).await?;
        known = Some(build.known.clone());
        let is_to_stop = build.state.stop_requested_by.is_some();
        let done = match build.step() {
            None => {
                remove_runs(&manager.options.runs_dir, lease.app_server).await;
                return Ok(());
            }
            Some(_) if is_to_stop => build.stop().await,
            Some(step) => build.one_step(step).await,
        };
        match done {
            Ok(()) => (told, tries) = (None, 0),
            // The requested stop is seen when the build is loaded again.
            Err(StepError::Interrupted) if lease.halt.is_cancelled() && !lease.lost.is_cancelled() && !is_to_stop => {}
            Err(StepError::Transient(reason)) if is_to_stop || build.has_time() => {
                if told.as_ref() != Some(&reason) {
                    build.tell(Line::warning(format!("{}: {reason} (trying again)", build.under_way()))).await?;
                    told = Some(reason);
                }
                tries += 1;
                build.rest(back_off(manager.options.poll, tries)).await?;
            }
            // A stop needs no room, and the machine of a later step is there.
            Err(StepError::NoRoom(reason)) if !is_to_stop => return build.wait_for_room(&reason).await,
            Err(StepError::Transient(reason) | StepError::Fatal(reason) | StepError::NoRoom(reason)) => {
                build.fail(&reason, true).await?
            }
            Err(StepError::Permanent(reason)) => build.fail(&reason, false).await?,
            Err(error @ (StepError::Interrupted | StepError::Db(_))) => return Err(error),
        }
    }
}

/// Exponential back-off: doubles with each try, up to ten seconds.
fn back_off(poll: Duration, tries: u32) -> Duration {
    poll.saturating_mul(2u32.saturating_pow(tries)).min(Duration::from_secs(10))
}

/// Removes the build's run directories; their output is in the log. A failure is only logged: it costs disk space.
async fn remove_runs(runs_dir: &Path, id: shared_types::AppServerId) {
    let dir = runs_dir.join(id.to_string());
    if let Err(error) = removal::remove(dir.clone()).await {
        tracing::warn!(dir = %dir.display(), %error, "a build's directory could not be removed");
    }
}

impl Build<'_> {
    async fn one_step(&self, step: BuildStepKind) -> Result<(), StepError> {
        match step {
            BuildStepKind::Pin => self.unless_halted(self.pin()).await,
            // These two end the processes they started when they are halted.
            BuildStepKind::Checkout => self.checkout().await,
            BuildStepKind::Resources => self.unless_halted(self.resources()).await,
            BuildStepKind::Playbooks => self.playbooks().await,
            BuildStepKind::Server => self.unless_halted(self.server()).await,
            BuildStepKind::Snapshot => self.unless_halted(self.snapshot()).await,
            BuildStepKind::Reboot => self.unless_halted(self.reboot()).await,
            BuildStepKind::Checks => self.unless_halted(self.checks()).await,
        }
    }

    /// Abandons work when halted; only for work whose effects are found again, at whichever point it is abandoned.
    async fn unless_halted(&self, work: impl Future<Output = Result<(), StepError>>) -> Result<(), StepError> {
        self.lease.halt.run_until_cancelled(work).await.unwrap_or(Err(StepError::Interrupted))
    }

    /// Waits before the next look. [`StepError::Interrupted`] when halted; while stopping, only when the lease is lost.
    pub(super) async fn rest(&self, moment: Duration) -> Result<(), StepError> {
        let is_stopping = self.state.stop_requested_by.is_some();
        let end = if is_stopping { &self.lease.lost } else { &self.lease.halt };
        end.run_until_cancelled(tokio::time::sleep(moment)).await.ok_or(StepError::Interrupted)
    }

    /// Whether the current step may be retried: its deadline has not passed.
    fn has_time(&self) -> bool {
        self.state.deadline.is_none_or(|deadline| Utc::now() < deadline)
    }

    /// The current step, or the stop, as the log names it.
    fn under_way(&self) -> &'static str {
        let is_stopping = self.state.stop_requested_by.is_some();
        if is_stopping {
            return "Stop";
        }
        self.step().map_or("Build", BuildStepKind::name)
    }

    /// Ends the build (`error` if it failed before there was a machine to configure, `failed` after) and launches the
    /// next attempt if one remains.
    async fn fail(&self, reason: &str, may_go_better: bool) -> Result<(), StepError> {
        let to = match self.row.status {
            AppServerStatus::New | AppServerStatus::Waiting => AppServerStatus::Error,
            AppServerStatus::Configuring
            | AppServerStatus::Running
            | AppServerStatus::Failed
            | AppServerStatus::Error
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped => AppServerStatus::Failed,
        };
        let reason = self.hide(reason);
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            builds::end_steps(conn, self.id(), StepOutcome::Failed).await?;
            app_servers::transition(conn, &self.row, to, Some(&reason)).await?;
            if self.manager.mailer.is_some() {
                failure_mail::owe(conn, self.id()).await?;
            }
            match migration::failed(conn, &self.row).await? {
                NextAttempt::Now if may_go_better => self.try_again(conn).await,
                NextAttempt::AfterRestore if may_go_better => Ok(migrating::retry_later(conn, self.id()).await?),
                NextAttempt::Now | NextAttempt::AfterRestore | NextAttempt::Never => Ok(()),
            }
        })
        .await
    }

    async fn try_again(&self, conn: &mut diesel_async::AsyncPgConnection) -> Result<(), StepError> {
        // Read again: a user may have requested its activation since the step began.
        let Some(state) = builds::find(conn, self.id()).await? else { return Ok(()) };
        let line = match launch::retry(self.manager, conn, &self.row, &state).await {
            Ok(None) => return Ok(()),
            Ok(Some(next)) => launch::attempt_words(&self.row, next),
            Err(Refusal::Db(error)) => return Err(error.into()),
            Err(refusal) => Line::warning(format!("No further attempt: {refusal}")),
        };
        Ok(self.write(conn, vec![line]).await?)
    }
}
