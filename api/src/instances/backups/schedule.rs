//! Asks for the backups that the schedule wants, and for the deletion of those that are not kept. Several workers may run it at once.

use diesel_async::AsyncConnection;
use shared_types::backup::BackupReason;
use shared_types::{BackupId, InstanceId};

use super::{contents, delete, request};
use crate::instances::Manager;
use crate::instances::store::backups::{self as store, schedule};
use crate::instances::store::instances;
use crate::platform::db::DbError;
use crate::platform::origin::Actor;

/// The most backups that one sweep asks for, or deletes; the next sweep continues.
const SWEEP_BATCH: i64 = 50;
/// How many failed backups of each instance are kept.
const FAILED_KEPT: u32 = 3;

/// Asks for backups that are due, and for deletions. No query if the settings name no place for backups.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    if manager.backups.is_none() {
        return Ok(());
    }
    let options = manager.options.backups;
    if let Some(hours) = options.every_hours {
        let due = schedule::due(&mut *manager.db.conn().await?, None, hours, SWEEP_BATCH).await?;
        for id in due {
            begin(manager, id, hours).await?;
        }
    }
    let kept = schedule::Kept { complete: options.keep, failed: FAILED_KEPT, migration_days: options.migration_days };
    let ids = schedule::not_kept(&mut *manager.db.conn().await?, kept, SWEEP_BATCH).await?;
    for id in ids {
        end(manager, id).await?;
    }
    Ok(())
}

/// Asks for a backup of an instance, if it is still due once the instance is locked.
async fn begin(manager: &Manager, id: InstanceId, every_hours: u32) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        instances::lock(conn, id).await?;
        if schedule::due(conn, Some(id), every_hours, 1).await?.is_empty() {
            return Ok(());
        }
        let contents = contents::of_instance(conn, id).await?;
        request::begin(conn, &Actor::Backups, (id, BackupReason::Scheduled), &contents).await.map(drop)
    })
    .await
}

/// Asks for the deletion of a backup, if nothing else is being done with it.
async fn end(manager: &Manager, id: BackupId) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let Some(row) = store::find(conn, id).await? else { return Ok(()) };
        instances::lock(conn, row.instance_id).await?;
        delete::begin(conn, &Actor::Backups, &row).await.map(drop)
    })
    .await
}
