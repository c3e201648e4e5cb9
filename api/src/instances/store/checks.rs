//! The table `app_server_checks`.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;
use shared_types::app_server::{Check, Checks};

use crate::db::DbError;
use crate::db::schema::app_server_checks as table;

/// The last checks of an app server.
///
/// # Errors
/// When the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Checks, DbError> {
    let rows: Vec<(String, bool, String, chrono::DateTime<chrono::Utc>)> = table::table
        .filter(table::app_server_id.eq(id))
        .order(table::position)
        .select((table::name, table::is_ok, table::detail, table::checked_at))
        .load(conn)
        .await?;
    let check = |(name, is_ok, detail, checked_at)| Check { name, is_ok, detail, checked_at };
    Ok(Checks { items: rows.into_iter().map(check).collect() })
}

/// Keeps checks in the place of the ones before.
///
/// # Errors
/// When a statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, id: AppServerId, checks: &Checks) -> Result<(), DbError> {
    diesel::delete(table::table.filter(table::app_server_id.eq(id))).execute(conn).await?;
    let rows: Vec<_> = checks
        .items
        .iter()
        .zip(0i32..)
        .map(|(check, position)| {
            (
                table::app_server_id.eq(id),
                table::position.eq(position),
                table::name.eq(&check.name),
                table::is_ok.eq(check.is_ok),
                table::detail.eq(&check.detail),
                table::checked_at.eq(check.checked_at),
            )
        })
        .collect();
    diesel::insert_into(table::table).values(rows).execute(conn).await?;
    Ok(())
}
