//! Backups of what an instance has outside its machines. Each request but the first answers before the work is done.

use shared_types::backup::{Backup, InstanceBackups, RestoreBackup};
use shared_types::operations::Rollback;
use shared_types::{BackupId, InstanceId};

use super::Result;
use super::request::{self, get, post, send, send_json};

/// All of an instance, and what can be done.
pub async fn of(id: InstanceId) -> Result<InstanceBackups> {
    send(get(&path(id))).await
}

/// Asks for a new backup.
pub async fn make(id: InstanceId) -> Result<Backup> {
    send(post(&path(id))).await
}

/// Loads a backup into databases that are made for this.
pub async fn verify(id: InstanceId, backup: BackupId) -> Result<Backup> {
    send(post(&format!("{}/{backup}/verify", path(id)))).await
}

/// Replaces the instance's databases by a backup; `confirm` must be the instance's name, typed by the user. `roll_back`: also moves the
/// traffic back. For administrators.
pub async fn restore(id: InstanceId, backup: BackupId, confirm: String, roll_back: Option<Rollback>) -> Result<Backup> {
    send_json(post(&format!("{}/{backup}/restore", path(id))), &RestoreBackup { confirm, roll_back }).await
}

/// Deletes a backup. For administrators.
pub async fn delete(id: InstanceId, backup: BackupId) -> Result<Backup> {
    send(request::delete(&format!("{}/{backup}", path(id)))).await
}

fn path(id: InstanceId) -> String {
    format!("/instances/{id}/backups")
}
