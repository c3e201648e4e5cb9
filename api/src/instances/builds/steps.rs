//! The steps around the playbooks: the machine before, reboot and checks after.

use chrono::{DateTime, Duration, Utc};
use diesel_async::AsyncConnection;
use shared_types::app_server::{BuildStepKind, StepOutcome};
use shared_types::{AppServerId, AppServerStatus, InstanceId, ServerStatus};

use super::{Build, StepError};
use crate::instances::Refusal;
use crate::instances::builds::{lease, migration};
use crate::instances::jobs::ActivateWhenRunning;
use crate::instances::store::{app_servers, builds, providers};
use crate::machines;
use crate::machines::advance::Progress;
use crate::platform::db::DbError;
use crate::platform::logs::Line;

impl Build<'_> {
    pub(super) fn ids(&self) -> (InstanceId, AppServerId) {
        (self.row.instance_id, self.row.id)
    }

    /// Begins a step, unless it began already.
    pub(super) async fn begin(&self, step: BuildStepKind, patience: Duration) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            Ok(builds::begin_step(conn, self.ids(), step, Utc::now() + patience).await?)
        })
        .await
    }

    /// Waits until the machine is ready.
    pub(super) async fn server(&self) -> Result<(), StepError> {
        if self.state.deadline.is_none() {
            // It was put back into the queue, and begins again.
            return self.begin(BuildStepKind::Server, patience(self.manager.options.machine_timeout)).await;
        }
        self.wait_until_ready("Unable to start a server: no SSH within the time allowed").await?;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            providers::resume(conn, self.row.server_id).await?;
            let options = &self.manager.options;
            // Builds begun by an earlier version start the machine before the checkout.
            let is_loaded = builds::has_begun(conn, self.id(), BuildStepKind::Checkout).await?;
            let migrates = is_loaded && migration::of(conn, &self.row).await?.is_some();
            let (next, limit) = match (is_loaded, migrates) {
                (true, true) => (BuildStepKind::Snapshot, options.snapshot_timeout),
                (true, false) => (BuildStepKind::Playbooks, options.global_timeout),
                (false, _) => (BuildStepKind::Checkout, options.checkout_timeout),
            };
            builds::begin_step(conn, self.ids(), next, deadline(limit)).await?;
            app_servers::transition(conn, &self.row, AppServerStatus::Configuring, None).await?;
            Ok(())
        })
        .await
    }

    /// Restarts the machine, to verify that the application comes up by itself.
    pub(super) async fn reboot(&self) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        let server = machines::store::find(&mut conn, self.row.server_id).await?;
        drop(conn);
        let is_done = server.is_some_and(|row| row.status == ServerStatus::Ready && row.boot_marker.is_some());
        if !is_done {
            self.manager.machines().reboot(self.owner(), self.row.server_id).await?;
            self.wait_until_ready("The VM did not come up again after the reboot").await?;
        }
        self.begin(BuildStepKind::Checks, patience(self.manager.options.checks_timeout)).await
    }

    /// Makes the application's checks; the step is retried until all pass.
    pub(super) async fn checks(&self) -> Result<(), StepError> {
        let made = match crate::instances::health::checks::check(self.manager, self.id()).await {
            Ok(made) => made,
            Err(Refusal::Db(error)) => return Err(error.into()),
            Err(refusal) => return Err(StepError::Fatal(refusal.to_string())),
        };
        let words: Vec<String> = made.items.iter().map(|check| format!("{}: {}", check.name, check.detail)).collect();
        if !made.passed() {
            return Err(StepError::Transient(format!(
                "The application does not answer as it should: {}",
                words.join("; ")
            )));
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            self.write(conn, vec![Line::info(format!("Checks passed: {}", words.join("; ")))]).await?;
            builds::end_steps(conn, self.id(), StepOutcome::Done).await?;
            app_servers::transition(conn, &self.row, AppServerStatus::Running, None).await?;
            migration::succeeded(conn, &self.row).await?;
            if self.state.activate_when_running {
                ActivateWhenRunning::enqueue(conn, self.id()).await?;
            }
            Ok(())
        })
        .await
    }

    async fn wait_until_ready(&self, too_late: &str) -> Result<(), StepError> {
        let deadline = self.state.deadline.unwrap_or_else(Utc::now);
        let (mut pace, mut told) = (None, None);
        let mut refused = None;
        loop {
            lease_is_ours(self).await?;
            match self.manager.machines().advance(self.owner(), self.row.server_id).await? {
                Progress::Ready => break,
                Progress::FirstBoot(what) if Utc::now() > deadline => {
                    return Err(StepError::Fatal(format!(
                        "Unable to start a server: {what} did not end within the time allowed"
                    )));
                }
                Progress::OtherHostKey(words) if Utc::now() > deadline => return Err(StepError::Fatal(words)),
                Progress::OtherHostKey(words) if refused.as_ref() != Some(&words) => {
                    self.tell(Line::warning(words.clone())).await?;
                    refused = Some(words);
                }
                Progress::NotYet if Utc::now() > deadline => return Err(StepError::Fatal(too_late.to_owned())),
                Progress::FirstBoot(what) if told != Some(what) => {
                    self.tell(Line::info(format!("The VM lets us in; waiting for the end of its {what}"))).await?;
                    told = Some(what);
                }
                Progress::FirstBoot(_) | Progress::OtherHostKey(_) | Progress::NotYet => {}
            }
            let pace = match pace {
                Some(pace) => pace,
                None => *pace.insert(self.pace().await?),
            };
            // Of a provider without a pace of its own, machines are there at once.
            if !pace.is_zero() {
                self.slot.lend().await;
            }
            self.rest(self.manager.options.poll.max(pace)).await?;
        }
        self.lease.halt.run_until_cancelled(self.slot.take_back()).await.ok_or(StepError::Interrupted)
    }

    /// The least time between two questions about its machine.
    async fn pace(&self) -> Result<std::time::Duration, DbError> {
        let row = machines::store::find(&mut *self.manager.db.conn().await?, self.row.server_id).await?;
        let named = row.and_then(|row| self.manager.providers.get(&row.provider));
        Ok(named.map_or(std::time::Duration::ZERO, |named| named.provider.pace()))
    }
}

/// Interrupts the step if this worker has lost the lease: only the holder may touch the machine.
async fn lease_is_ours(build: &Build<'_>) -> Result<(), StepError> {
    let mut conn = build.manager.db.conn().await?;
    lease::fence(&mut conn, build.lease).await??;
    Ok(())
}

/// Converts a duration from the settings; the longest one if it is too long.
pub(in crate::instances) fn patience(duration: std::time::Duration) -> Duration {
    Duration::from_std(duration).unwrap_or(Duration::MAX)
}

/// The deadline of a step that begins now.
pub(super) fn deadline(duration: std::time::Duration) -> DateTime<Utc> {
    Utc::now().checked_add_signed(patience(duration)).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
