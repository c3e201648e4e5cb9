//! Queries of the table `github_pause`.

use chrono::{DateTime, Utc};
use diesel::dsl::now;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::github_pause;

/// Until when GitHub's rate limit holds, and its message; none: GitHub may be asked.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn current(conn: &mut AsyncPgConnection) -> Result<Option<(DateTime<Utc>, String)>, DbError> {
    Ok(github_pause::table
        .filter(github_pause::until.gt(now))
        .select((github_pause::until, github_pause::reason))
        .first(conn)
        .await
        .optional()?)
}

/// Stores a rate limit; a later end that is stored already stays.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn begin(conn: &mut AsyncPgConnection, until: DateTime<Utc>, reason: &str) -> Result<(), DbError> {
    diesel::sql_query(
        "INSERT INTO github_pause AS p (until, reason) VALUES ($1, left($2, 1000)) ON CONFLICT (is_one) DO UPDATE \
         SET until = excluded.until, reason = excluded.reason WHERE p.until < excluded.until",
    )
    .bind::<diesel::sql_types::Timestamptz, _>(until)
    .bind::<diesel::sql_types::Text, _>(reason)
    .execute(conn)
    .await?;
    Ok(())
}
