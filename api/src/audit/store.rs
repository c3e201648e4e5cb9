//! The table `audit_log`.

use diesel::ExpressionMethods;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, InstanceId};

use crate::db::DbError;
use crate::db::schema::audit_log;

/// One thing that somebody did.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Who, by name.
    pub actor: &'a str,
    /// What, by the operation's name in the API.
    pub action: &'static str,
    /// The instance it was done to.
    pub instance: Option<InstanceId>,
    /// The app server it was done to.
    pub app_server: Option<AppServerId>,
    /// What else there is to know; never a secret.
    pub detail: serde_json::Value,
}

/// Adds an entry, in the transaction of what it tells of.
///
/// # Errors
/// When the statement fails.
pub async fn record(conn: &mut AsyncPgConnection, entry: Entry<'_>) -> Result<(), DbError> {
    let Entry { actor, action, instance, app_server, detail } = entry;
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(actor),
            audit_log::action.eq(action),
            audit_log::instance_id.eq(instance),
            audit_log::app_server_id.eq(app_server),
            audit_log::detail.eq(detail),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes entries older than so many days, at most `limit`. Gives how many.
///
/// # Errors
/// When a statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::{BigInt, Integer};
    use diesel_async::AsyncConnection;
    conn.transaction(async |conn| {
        // The table refuses every other removal.
        diesel::sql_query("SET LOCAL ocim.housekeeping = 'on'").execute(conn).await?;
        let gone = diesel::sql_query(
            "DELETE FROM audit_log WHERE id IN \
             (SELECT id FROM audit_log WHERE at < now() - make_interval(days => $1) ORDER BY id LIMIT $2)",
        )
        .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await?;
        Ok(gone)
    })
    .await
}
