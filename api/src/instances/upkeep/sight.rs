//! Machines whose provider does not answer: their status is `unknown` until it shows them again. Machines of builds are left
//! to these.

use std::collections::HashSet;

use diesel_async::AsyncConnection;
use shared_types::{ProviderName, ServerId, ServerStatus};

use crate::instances::Manager;
use crate::instances::store::orphans::{self as store, Owned};
use crate::machines;
use crate::machines::store::Owner;
use crate::platform::db::DbError;

/// Records that the state of the provider's ready machines is unknown.
pub(super) async fn lost(manager: &Manager, provider: &ProviderName) -> Result<(), DbError> {
    let owned = store::owned(&mut *manager.db.conn().await?, provider, &[]).await?;
    for one in owned.iter().filter(|one| is_left_alone(one) && one.status == ServerStatus::Ready) {
        transition(manager, one, ServerStatus::Unknown).await?;
    }
    Ok(())
}

/// Gives machines back their status that the provider sees again. One that was never ready is `building` again.
pub(super) async fn found(manager: &Manager, owned: &[Owned], seen: &HashSet<ServerId>) -> Result<(), DbError> {
    let is_back = |one: &&Owned| one.status == ServerStatus::Unknown && seen.contains(&one.server_id);
    for one in owned.iter().filter(|one| is_left_alone(one)).filter(is_back) {
        transition(manager, one, if one.has_address { ServerStatus::Ready } else { ServerStatus::Building }).await?;
    }
    Ok(())
}

/// Whether neither a build nor a termination sets its status.
fn is_left_alone(one: &Owned) -> bool {
    !one.is_ending && !one.app_server_status.is_building()
}

async fn transition(manager: &Manager, one: &Owned, to: ServerStatus) -> Result<(), DbError> {
    let owner = Owner { instance: one.instance_id, app_server: one.app_server_id };
    let mut conn = manager.db.conn().await?;
    let from = one.status;
    let moved =
        conn.transaction(async |conn| machines::store::transition(conn, owner, one.server_id, from, to).await).await?;
    if moved {
        tracing::warn!(server = %one.server_id, from = from.as_str(), to = to.as_str(), "a provider's answers changed a status");
    }
    Ok(())
}
