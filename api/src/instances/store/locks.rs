//! Locks of several rows, in the order in which every transaction takes them.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::platform::db::DbError;
use crate::platform::db::statuses::BUILDING;

/// Locks all builds of an instance that are not over, until the transaction ends. A transaction that locks builds and their
/// instance locks the builds first, as the steps of builds do: in the other order, two transactions could wait for each other.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn builds_of(conn: &mut AsyncPgConnection, instance: InstanceId) -> Result<(), DbError> {
    diesel::sql_query(format!(
        "SELECT 1 FROM builds AS b JOIN app_servers AS a ON a.id = b.app_server_id \
         WHERE a.instance_id = $1 AND a.status IN ({BUILDING}) ORDER BY b.app_server_id FOR UPDATE OF b"
    ))
    .bind::<diesel::sql_types::BigInt, _>(instance)
    .execute(conn)
    .await?;
    Ok(())
}
