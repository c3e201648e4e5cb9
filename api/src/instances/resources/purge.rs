//! Begins the deletion of an instance's resources. A sweep deletes them, and tries again until they are gone.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::resource::{ResourceClass, ResourceState};

use crate::instances::{Manager, Refusal};
use crate::platform::vault;
use crate::resources::password;
use crate::resources::store::{self, ResourceRow};

/// Begins the deletion of all of an instance's resources, in a transaction that has locked the instance. Returns in words what is
/// deleted.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(in crate::instances) async fn begin(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
) -> Result<Vec<String>, Refusal> {
    let mut begun = Vec::new();
    for row in store::of_instance(conn, id).await? {
        begin_one(manager, conn, &row).await?;
        if row.is_shared() {
            // Only its row ends; other instances log in with the account.
            continue;
        }
        begun.push(match (row.class, row.state) {
            (ResourceClass::Given, _) => {
                format!("what was entered about the {}; it is not touched itself", row.words())
            }
            (ResourceClass::Made, ResourceState::Wanted) => format!("the {}, which was never made", row.words()),
            (ResourceClass::Made, _) => format!("the {} (within minutes)", row.words()),
        });
    }
    Ok(begun)
}

/// Begins the deletion of what ocim made for an instance, in a transaction that has locked it. What was entered stays.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub async fn begin_made(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    for row in store::of_instance(conn, id).await? {
        if row.class == ResourceClass::Made {
            begin_one(manager, conn, &row).await?;
        }
    }
    Ok(())
}

/// Ends a resource: at once if no server can have it, else by the sweep. One whose deletion has begun is tried again soon.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn begin_one(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    row: &ResourceRow,
) -> Result<(), Refusal> {
    match (row.class, row.state) {
        (_, ResourceState::Deleted) => Ok(()),
        (_, ResourceState::Deleting) => Ok(store::work::try_soon(conn, &[row.id]).await?),
        (_, ResourceState::Wanted) => end(manager, conn, row).await,
        (ResourceClass::Given, ResourceState::Creating | ResourceState::Present | ResourceState::Failed) => {
            store::transition(conn, row, ResourceState::Deleting, None).await?;
            end(manager, conn, &ResourceRow { state: ResourceState::Deleting, ..row.clone() }).await
        }
        (ResourceClass::Made, ResourceState::Creating | ResourceState::Present | ResourceState::Failed) => {
            store::transition(conn, row, ResourceState::Deleting, None).await?;
            Ok(())
        }
    }
}

/// Records that a resource is deleted, with its password.
async fn end(manager: &Manager, conn: &mut AsyncPgConnection, row: &ResourceRow) -> Result<(), Refusal> {
    if store::transition(conn, row, ResourceState::Deleted, None).await? {
        store::keep_secret(conn, row.id, &password::none(&manager.options.keyring)?, false).await?;
        vault::forget(conn, &row.secret).await?;
    }
    Ok(())
}
