//! The maintenance page of a build that migrates. Of pages, only the one that this program has put up is taken down by it.

use diesel_async::AsyncPgConnection;
use shared_types::migration::MigrationState;
use shared_types::{AppServerId, InstanceId};

use crate::instances::Refusal;
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::store::migrating as store;
use crate::instances::traffic::maintenance;
use crate::platform::origin::Actor;

/// What visitors read during a migration.
const TEXT: &str = "The site is being upgraded. Please come back in a while.";

/// Puts the page up in a transaction that has locked the instance, unless one is up.
///
/// # Errors
/// [`Refusal::Conflict`] if the instance is archived; [`Refusal::Db`] when a statement fails.
pub(in crate::instances) async fn put_up(conn: &mut AsyncPgConnection, row: &InstanceRow) -> Result<(), Refusal> {
    match row.maintenance_at {
        Some(_) => Ok(()),
        None => maintenance::begin(conn, &Actor::Migration, row.id, TEXT, None).await,
    }
}

/// Takes the page down if a build has put it up, and nothing was changed about it since.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn take_down(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    match instances::lock(conn, id).await? {
        Some(row) if is_ours(&row) => maintenance::end(conn, &Actor::Migration, id).await,
        Some(_) | None => Ok(()),
    }
}

/// Takes the page down when an app server gets the traffic that fits the databases: the one that has migrated them, or a later one. In the
/// transaction of the switch, so that the gateway is told of both at once.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(in crate::instances) async fn activated(
    conn: &mut AsyncPgConnection,
    instance: &InstanceRow,
    id: AppServerId,
) -> Result<(), Refusal> {
    if !is_ours(instance) {
        return Ok(());
    }
    match store::newest(conn, instance.id).await? {
        Some(last) if last.state == MigrationState::Done && last.app_server_id <= id => take_down(conn, instance.id).await,
        Some(_) | None => Ok(()),
    }
}

/// Whether the page of an instance is one that a build has put up.
pub(super) fn is_ours(row: &InstanceRow) -> bool {
    row.maintenance_by.as_deref() == Some(Actor::Migration.to_string().as_str())
        && row.maintenance_text.as_deref() == Some(TEXT)
}
