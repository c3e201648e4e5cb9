//! The step before the first playbook of a build that migrates databases: waits for the snapshot, which workers take behind the
//! maintenance page (`backups::migration`).

use chrono::Utc;
use diesel_async::AsyncConnection;
use shared_types::app_server::BuildStepKind;
use shared_types::backup::BackupState;
use shared_types::migration::MigrationState;

use super::steps::deadline;
use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::instances::store::backups::{self, BackupRow};
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::instances::store::{builds, instances};
use crate::platform::logs::Line;

impl Build<'_> {
    /// Asks for the snapshot, waits until it is complete, and begins the playbooks, which may then change the databases.
    pub(super) async fn snapshot(&self) -> Result<(), StepError> {
        loop {
            let row = store::find(&mut *self.manager.db.conn().await?, self.id()).await?;
            let Some(row) = row else { return self.begin_playbooks().await };
            match row.state {
                MigrationState::Planned => return self.ask_for_snapshot(&row).await,
                MigrationState::Snapshot if self.is_taken(&row).await? => return self.migrate().await,
                MigrationState::Snapshot => {}
                MigrationState::Migrating
                | MigrationState::Done
                | MigrationState::Abandoned
                | MigrationState::Restoring
                | MigrationState::Restored
                | MigrationState::NeedsPerson
                | MigrationState::Dismissed => return self.begin_playbooks().await,
            }
            if self.state.deadline.is_some_and(|deadline| Utc::now() > deadline) {
                return Err(StepError::Fatal(format!(
                    "The snapshot of the databases was not complete within {} s",
                    self.manager.options.snapshot_timeout.as_secs()
                )));
            }
            self.rest(self.manager.options.poll).await?;
        }
    }

    async fn ask_for_snapshot(&self, row: &MigratingRow) -> Result<(), StepError> {
        let page = if row.has_page { "visitors get the maintenance page" } else { "visitors go on" };
        let words = format!("The databases are migrated from {} to {}: {page}", row.migrates_from, row.migrates_to);
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            store::transition(conn, row, MigrationState::Snapshot, None).await?;
            Ok(self.write(conn, vec![Line::info(words)]).await?)
        })
        .await
    }

    /// Whether the snapshot is complete.
    async fn is_taken(&self, row: &MigratingRow) -> Result<bool, StepError> {
        if row.snapshot_at.is_none() {
            return Ok(false);
        }
        let backup = match row.backup_id {
            Some(id) => backups::find(&mut *self.manager.db.conn().await?, id).await?,
            None => None,
        };
        match backup {
            Some(BackupRow { state: BackupState::Complete, .. }) => Ok(true),
            Some(BackupRow { state: BackupState::Writing, .. }) => Ok(false),
            Some(BackupRow { state: BackupState::Failed, id, trouble, .. }) => {
                let why = trouble.unwrap_or_default();
                Err(StepError::Fatal(format!(
                    "The snapshot of the databases, backup {id}, could not be written: {why}"
                )))
            }
            None => Err(StepError::Fatal("The snapshot of the databases was deleted".to_owned())),
        }
    }

    /// From here on, the databases may be changed.
    async fn migrate(&self) -> Result<(), StepError> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            instances::lock(conn, self.row.instance_id).await?;
            let Some(row) = store::lock(conn, self.id()).await? else { return Err(StepError::Interrupted) };
            store::transition(conn, &row, MigrationState::Migrating, None).await?;
            let id = row.backup_id.map(|id| id.to_string()).unwrap_or_default();
            let mut lines = vec![Line::info(format!("The snapshot is complete: backup {id}"))];
            if row.has_page && !row.is_closed() {
                let words =
                    "The maintenance page was taken down: if this build fails, nothing is restored without a request";
                lines.push(Line::warning(words));
            }
            self.write(conn, lines).await?;
            let until = deadline(self.manager.options.global_timeout);
            Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Playbooks, until).await?)
        })
        .await
    }

    async fn begin_playbooks(&self) -> Result<(), StepError> {
        self.begin(BuildStepKind::Playbooks, super::patience(self.manager.options.global_timeout)).await
    }
}
