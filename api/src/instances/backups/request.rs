//! Asks for a backup of an instance's databases and buckets.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupReason};
use shared_types::{EventKind, InstanceId};

use super::contents::{self, Contents};
use super::{lock, refuse_second};
use crate::instances::journal::Journal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Asks for a backup; a worker writes it. Possible for archived instances, whose databases stay until a purge.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if there is nothing that it could contain, no place for it that can be used, or another
/// backup of the instance is being written, verified or restored.
pub async fn request(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
) -> Result<Backup, Refusal> {
    conn.transaction(async |conn| {
        lock(conn, id).await?;
        let contents = contents::of_instance(conn, id).await?;
        if let Some(words) = contents.why_not_now(manager) {
            return Err(Refusal::Conflict(words));
        }
        refuse_second(conn, id).await?;
        Ok(begin(conn, actor, (id, BackupReason::Requested), &contents).await?.into_dto()?)
    })
    .await
}

/// Stores a backup that is to be written, in a transaction that has locked the instance.
pub(super) async fn begin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (id, reason): (InstanceId, BackupReason),
    contents: &Contents,
) -> Result<BackupRow, DbError> {
    let row = store::insert(conn, id, reason, actor).await?;
    let contents: Vec<_> = contents.parts(reason).map(contents::words).collect();
    Journal::of(actor, Operation::CreateBackup)
        .instance(id)
        .event(EventKind::InstanceUpdated)
        .line(Line::info(format!("Backup {} was asked for by {actor}: {}", row.id, contents.join(", "))))
        .detail(json!({ "backup": row.id, "reason": reason, "contents": contents }))
        .write(conn)
        .await?;
    Ok(row)
}
