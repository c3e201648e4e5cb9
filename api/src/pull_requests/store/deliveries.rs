//! The table `webhook_deliveries`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::webhook_deliveries;

/// Remembers a delivery. False: it came before.
///
/// # Errors
/// When the statement fails.
pub async fn remember(conn: &mut AsyncPgConnection, id: &str) -> Result<bool, DbError> {
    let is_new = diesel::insert_into(webhook_deliveries::table)
        .values(webhook_deliveries::id.eq(id))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(is_new == 1)
}

/// Forgets those that came before.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, before: DateTime<Utc>) -> Result<(), DbError> {
    diesel::delete(webhook_deliveries::table.filter(webhook_deliveries::received.lt(before))).execute(conn).await?;
    Ok(())
}
