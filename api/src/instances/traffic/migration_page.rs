//! Puts the maintenance page of builds that migrate databases up, and takes it down.

use std::net::SocketAddr;

use chrono::Utc;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::InstanceId;
use shared_types::migration::MigrationState;

use super::maintenance;
use crate::instances::builds::patience;
use crate::instances::migration::{PAGE, has_page};
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::instances::store::{instances, routing};
use crate::instances::{Manager, Refusal};
use crate::platform::origin::Actor;

/// Puts the page up that a migration wants. True: no visitor reaches an app server any more, or the migration wants no page.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails; another one if the page cannot be put up.
pub async fn protects(manager: &Manager, row: &MigratingRow) -> Result<bool, Refusal> {
    if !row.is_closed() {
        return Ok(true);
    }
    let mut conn = manager.db.conn().await?;
    if put_up(&mut conn, row).await? {
        return Ok(false);
    }
    let wanted = routing::wanted(&mut conn, Some(&[row.instance_id])).await?;
    let instance = instances::find(&mut conn, row.instance_id).await?;
    drop(conn);
    let (Some(wanted), Some(up_since)) = (wanted.first(), instance.and_then(|instance| instance.maintenance_at)) else {
        return Ok(false);
    };
    if wanted.applied < wanted.generation {
        return Ok(false);
    }
    // Requests that began before the page was up may still write.
    let target: Option<SocketAddr> = wanted.address.as_ref().and_then(|address| address.parse().ok());
    let is_too_late = Utc::now() > up_since + patience(manager.options.drain_limit);
    let (false, Some(target)) = (is_too_late, target) else { return Ok(true) };
    // If the gateway cannot tell, the limit ends the wait.
    Ok(manager.traffic.open_connections(target).await.is_ok_and(|count| count == 0))
}

/// Puts the page up, unless one is up. False: one is up, or the migration wants none any more.
async fn put_up(conn: &mut AsyncPgConnection, seen: &MigratingRow) -> Result<bool, Refusal> {
    conn.transaction(async |conn| {
        let instance = instances::lock(conn, seen.instance_id).await?;
        let row = store::lock(conn, seen.app_server_id).await?;
        let wants = row.is_some_and(|row| row.state == MigrationState::Snapshot && row.is_closed());
        if !wants || instance.is_none_or(|instance| instance.maintenance_at.is_some()) {
            return Ok(false);
        }
        maintenance::begin(conn, &Actor::Migration, seen.instance_id, PAGE, None).await?;
        Ok(true)
    })
    .await
}

/// Takes the page down if a build has put it up, unless the active app server does not fit the databases as they are.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(in crate::instances) async fn take_down(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    let Some(instance) = instances::lock(conn, id).await?.filter(has_page) else { return Ok(()) };
    if store::keeps_page(conn, id, instance.active_app_server_id).await? {
        return Ok(());
    }
    maintenance::end(conn, &Actor::Migration, id).await
}

/// Takes the pages down of builds that ended before they changed the databases. One query if there is nothing to do; several workers may
/// run it at once.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), Refusal> {
    let up = store::with_page(&mut *manager.db.conn().await?).await?;
    for id in up {
        let mut conn = manager.db.conn().await?;
        conn.transaction(async |conn| take_down(conn, id).await).await?;
    }
    Ok(())
}
