//! Asks for the deletion of a backup.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupWork};
use shared_types::{BackupId, EventKind, InstanceId};

use super::{begun, contents, find, lock, words_of_work};
use crate::instances::journal::Journal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::store::migrating;
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Asks for the deletion of a backup: a worker deletes its files, and then its row. Being deleted already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] while it is being written, verified or restored, or needed by a migration, or if the
/// settings do not have the place of its files.
pub async fn request(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, BackupId),
) -> Result<Backup, Refusal> {
    conn.transaction(async |conn| {
        lock(conn, instance).await?;
        let row = find(conn, instance, id).await?;
        match row.work {
            Some(BackupWork::Delete) => return Ok(row.into_dto()?),
            Some(BackupWork::Write | BackupWork::Verify | BackupWork::Restore) => {
                return Err(Refusal::Conflict(words_of_work(&row)));
            }
            None => {}
        }
        if let Some((_, name)) = migrating::needing(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "Backup {id} is the snapshot from before the build of {name}, which may still have to be restored; dismiss its notice \
                 first, or wait for the end of the build."
            )));
        }
        if manager.backups.is_none() {
            return Err(Refusal::Conflict(contents::NO_PLACE.to_owned()));
        }
        let begun = begun(&row, begin(conn, actor, &row).await?)?;
        Ok(begun.into_dto()?)
    })
    .await
}

/// Begins the deletion of a backup, in the caller's transaction. None: something is being done with it.
pub(super) async fn begin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    row: &BackupRow,
) -> Result<Option<BackupRow>, DbError> {
    let Some(begun) = store::begin(conn, row.id, (BackupWork::Delete, None), actor).await? else { return Ok(None) };
    Journal::of(actor, Operation::DeleteBackup)
        .instance(row.instance_id)
        .event(EventKind::InstanceUpdated)
        .line(Line::info(format!("The deletion of backup {} was asked for by {actor}", row.id)))
        .detail(json!({ "backup": row.id, "of": row.created, "state": row.state }))
        .write(conn)
        .await?;
    Ok(Some(begun))
}
