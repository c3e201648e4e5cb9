//! Keeps an earlier lease holder away from the machine. Its playbook may still run: on another host, or paused. So a worker
//! that takes a build over replaces the machine's SSH key and ends the sessions of the old one, before its own run begins.
//!
//! Crash-safe: the next key is stored before the machine gets it, and the old one is forgotten after that. A worker that
//! finds a next key cannot know which of the two the machine lets in, and the worker that made it knows it as well: so the
//! replacement is first completed, and then made once more with a key that only this worker has.

use diesel_async::AsyncConnection;

use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::machines::key::KeyPair;
use crate::machines::store::{self, MachineRow};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::vault;

impl Build<'_> {
    /// When it returns Ok, no process of an earlier lease holder can do anything on the machine any more.
    pub(super) async fn fence_machine(&self) -> Result<(), StepError> {
        let begun = self.machine().await?;
        if begun.next_ssh_key.is_some() {
            self.install(&begun).await?;
        }
        let (next, secrets) = KeyPair::generate().map_err(DbError::from)?.seal(self.keyring())?;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            vault::keep(conn, self.row.instance_id, secrets).await?;
            Ok::<_, StepError>(store::keep_next_key(conn, self.row.server_id, &next).await?)
        })
        .await?;
        drop(conn);
        let machine = self.machine().await?;
        self.install(&machine).await?;
        let line = format!("VM {} has a new SSH key, and all sessions of the old one were ended", machine.name);
        self.tell(Line::info(line)).await
    }

    /// Has the machine let in its next key only, and records that.
    async fn install(&self, machine: &MachineRow) -> Result<(), StepError> {
        let machines = self.manager.machines();
        let installed = self.lease.halt.run_until_cancelled(machines.install_next_key(machine));
        installed.await.ok_or(StepError::Interrupted)??;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            store::confirm_next_key(conn, machine.id).await?;
            if let Some(old) = &machine.ssh_key {
                vault::forget(conn, old).await?;
            }
            Ok(())
        })
        .await
    }

    /// The machine's row.
    pub(super) async fn machine(&self) -> Result<MachineRow, StepError> {
        let mut conn = self.manager.db.conn().await?;
        let machine = store::find(&mut conn, self.row.server_id).await?;
        machine.ok_or_else(|| StepError::Fatal("The VM is missing".into()))
    }

    fn keyring(&self) -> &vault::Keyring {
        &self.manager.options.keyring
    }
}
