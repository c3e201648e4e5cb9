//! Queries of the table `webhook_deliveries`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::webhook_deliveries;

/// Stores the id of a delivery. False: it is stored already.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn remember(conn: &mut AsyncPgConnection, id: &str) -> Result<bool, DbError> {
    let is_new = diesel::insert_into(webhook_deliveries::table)
        .values(webhook_deliveries::id.eq(id))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(is_new == 1)
}

/// Deletes the ids of deliveries received before this time.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> Result<(), DbError> {
    diesel::delete(webhook_deliveries::table.filter(webhook_deliveries::received.lt(before))).execute(conn).await?;
    Ok(())
}
