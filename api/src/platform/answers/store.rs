//! The table `idempotency_keys`.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::UserId;

use crate::platform::db::DbError;
use crate::platform::db::schema::idempotency_keys as keys;

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::AsChangeset)]
#[diesel(table_name = keys)]
pub struct Answer {
    /// The status.
    pub status: Option<i16>,
    /// Where what was made is.
    pub location: Option<String>,
    /// Its version.
    pub etag: Option<String>,
    /// The body, as JSON.
    pub body: Option<Vec<u8>>,
}

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: the request is to be answered now.
    Now,
    /// It came before and was answered so.
    Before(Answer),
    /// It came before, and there is no answer: it is worked at, or was cut off.
    Unfinished,
    /// The key was used for another request.
    Other,
}

/// Begins a request under its key, unless it came before.
///
/// # Errors
/// When a statement fails.
pub async fn begin(conn: &mut AsyncPgConnection, user: UserId, key: &str, request: &[u8]) -> Result<Begun, DbError> {
    let begun = diesel::insert_into(keys::table)
        .values((keys::user_id.eq(user), keys::key.eq(key), keys::request.eq(request)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if begun == 1 {
        return Ok(Begun::Now);
    }
    let known: Option<(Vec<u8>, Answer)> = keys::table
        .find((user, key))
        .select((keys::request, (keys::status, keys::location, keys::etag, keys::body)))
        .first(conn)
        .await
        .optional()?;
    Ok(match known {
        Some((asked, _)) if asked != request => Begun::Other,
        Some((_, answer)) if answer.status.is_some() => Begun::Before(answer),
        Some(_) | None => Begun::Unfinished,
    })
}

/// Keeps the answer.
///
/// # Errors
/// When the statement fails.
pub async fn finish(conn: &mut AsyncPgConnection, user: UserId, key: &str, answer: &Answer) -> Result<(), DbError> {
    diesel::update(keys::table.find((user, key))).set(answer).execute(conn).await?;
    Ok(())
}

/// Forgets a request that did nothing.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, user: UserId, key: &str) -> Result<(), DbError> {
    diesel::delete(keys::table.find((user, key))).execute(conn).await?;
    Ok(())
}

/// Removes at most so many keys that are older than a day. Gives how many.
///
/// # Errors
/// When the statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, limit: i64) -> Result<usize, DbError> {
    let old = "DELETE FROM idempotency_keys WHERE (user_id, key) IN \
        (SELECT user_id, key FROM idempotency_keys WHERE created < now() - interval '24 hours' LIMIT $1)";
    Ok(diesel::sql_query(old).bind::<diesel::sql_types::BigInt, _>(limit).execute(conn).await?)
}
