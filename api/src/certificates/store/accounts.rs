//! The table `acme_accounts`.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::acme_accounts;

/// The account at the authority with this directory.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, directory: &str) -> Result<Option<i64>, DbError> {
    let own = acme_accounts::table.filter(acme_accounts::directory.eq(directory)).select(acme_accounts::id);
    Ok(own.first(conn).await.optional()?)
}

/// Keeps other workers from making an account at this authority until the transaction ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, directory: &str) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('acme_accounts:' || $1, 0))")
        .bind::<diesel::sql_types::Text, _>(directory)
        .execute(conn)
        .await?;
    Ok(())
}

/// The account at this authority, made if there is none.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn upsert(conn: &mut AsyncPgConnection, directory: &str) -> Result<i64, DbError> {
    let stored = diesel::insert_into(acme_accounts::table)
        .values(acme_accounts::directory.eq(directory))
        .on_conflict(acme_accounts::directory)
        .do_update()
        .set(acme_accounts::created.eq(diesel::dsl::now))
        .returning(acme_accounts::id);
    Ok(stored.get_result(conn).await?)
}
