//! Shows an instance's backups, and what can be done.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::backup::{BackupReason, InstanceBackups};

use super::contents;
use crate::instances::store::backups::{self, BackupRow};
use crate::instances::store::instances;
use crate::instances::{Manager, Refusal};

/// The backups of an instance, and what can be done. Four queries.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn list(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<InstanceBackups, Refusal> {
    if instances::find(conn, id).await?.is_none() {
        return Err(Refusal::NotFound { what: "instance", id: id.0 });
    }
    let mut items = Vec::new();
    for row in backups::of_instance(conn, id).await? {
        items.push(row.into_dto()?);
    }
    let contents = contents::of_instance(conn, id).await?;
    let incoming = backups::at_work(conn, id).await?.filter(|row| row.into_instance_id == Some(id));
    Ok(InstanceBackups {
        items,
        incoming: incoming.map(BackupRow::into_dto).transpose()?,
        contents: contents.parts(BackupReason::Requested).map(contents::words).collect(),
        why_none: contents.why_not_now(manager),
        why_no_restore: contents::why_no_restore(manager),
        left_out: contents.left_out(BackupReason::Requested),
        every_hours: manager.options.backups.every_hours,
        keep: manager.options.backups.keep,
    })
}
