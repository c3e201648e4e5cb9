//! The maintenance page of a restore. Of pages, only the one that this program has put up is taken down by it.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::{BackupId, InstanceId};

use crate::instances::Refusal;
use crate::instances::store::backups::work::{self, Claim};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::traffic::maintenance;
use crate::platform::origin::Actor;

/// What visitors read during a restore.
pub const TEXT: &str = "The site is being restored. Please come back in a while.";

/// Puts the page up, unless one is up. Returns the decision about traffic that the gateway must have applied; none: another worker has
/// the backup.
///
/// # Errors
/// [`Refusal::Conflict`] if the instance is archived; [`Refusal::Db`] when a statement fails.
pub(super) async fn put_up(conn: &mut AsyncPgConnection, id: InstanceId, claim: Claim) -> Result<Option<i64>, Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.maintenance_at.is_some() {
            return Ok(Some(row.routing_generation));
        }
        if !work::note_page(conn, claim).await? {
            return Ok(None);
        }
        maintenance::begin(conn, &Actor::Backups, id, TEXT, None).await?;
        Ok(instances::find(conn, id).await?.map(|row| row.routing_generation))
    })
    .await
}

/// Puts the page up with the request for a restore, unless one is up, instead of after the check of the files. In the caller's transaction,
/// which has locked the instance.
///
/// # Errors
/// [`Refusal::Conflict`] if the instance is archived; [`Refusal::Db`] when a statement fails.
pub(super) async fn put_up_at_request(
    conn: &mut AsyncPgConnection,
    (id, backup): (InstanceId, BackupId),
) -> Result<(), Refusal> {
    let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    if row.maintenance_at.is_some() {
        return Ok(());
    }
    work::note_page_of_request(conn, backup).await?;
    maintenance::begin(conn, &Actor::Backups, id, TEXT, None).await
}

/// Takes the page down if a restore has put it up, and nothing was changed about it since.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn take_down(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    match instances::lock(conn, id).await? {
        Some(row) if is_ours(&row) => maintenance::end(conn, &Actor::Backups, id).await,
        Some(_) | None => Ok(()),
    }
}

fn is_ours(row: &InstanceRow) -> bool {
    row.maintenance_by.as_deref() == Some(Actor::Backups.to_string().as_str())
        && row.maintenance_text.as_deref() == Some(TEXT)
}
