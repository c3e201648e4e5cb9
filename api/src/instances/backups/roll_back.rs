//! Rolls an instance back over a migration: its traffic and its databases go back together.
//!
//! One transaction moves the traffic, puts the maintenance page up and requests the restore, so that no visitor reaches an app server with
//! databases of another release. If any of them is refused, nothing is done.

use diesel_async::AsyncConnection;
use shared_types::backup::Backup;
use shared_types::{BackupId, InstanceId};

use super::{page, restore};
use crate::instances::traffic::activate::Decision;
use crate::instances::traffic::rollback::{self, Request};
use crate::instances::{Manager, Refusal};
use crate::platform::origin::Actor;

/// Rolls back, and requests the restore of a backup. `confirm`: the instance's name.
///
/// # Errors
/// Those of a rollback and of a restore; [`Refusal::Conflict`] if the app server has hooks that run before it gets the traffic.
pub async fn request(
    manager: &Manager,
    actor: &Actor,
    (instance, backup): (InstanceId, BackupId),
    confirm: &str,
    request: Request,
) -> Result<Backup, Refusal> {
    let (seen, target) = rollback::prove_target(manager, instance, &request).await?;
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        match rollback::swap(manager, conn, actor, (&seen, target), &request).await? {
            Decision::Active { .. } => {}
            // It would get the traffic at some time after the restore has begun.
            Decision::AfterHooks | Decision::WhenRunning => {
                return Err(Refusal::Conflict(format!(
                    "App server {target} has hooks that run before it gets the traffic. Roll back first; when it is active, restore backup \
                     {backup}."
                )));
            }
        }
        let requested = restore::request(manager, conn, actor, (instance, backup), (confirm, None)).await?;
        page::put_up_at_request(conn, (instance, backup)).await?;
        Ok(requested)
    })
    .await
}
