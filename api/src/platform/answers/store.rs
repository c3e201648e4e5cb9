//! The table `idempotency_keys`: requests by user and key, with the answer that was sent.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::UserId;

use crate::platform::db::DbError;
use crate::platform::db::schema::idempotency_keys as keys;

/// The answer as it was sent. Without a status there is none yet.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable, diesel::AsChangeset)]
#[diesel(table_name = keys)]
pub struct Answer {
    /// The HTTP status; null until the request has been answered.
    pub status: Option<i16>,
    /// The `Location` header: the URL of the created resource.
    pub location: Option<String>,
    /// The `ETag` header: the resource's version.
    pub etag: Option<String>,
    /// The body, as JSON.
    pub body: Option<Vec<u8>>,
}

/// What is known about an Idempotency-Key.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// The key is new: handle the request now.
    Now,
    /// The same request came before; this was its answer.
    Before(Answer),
    /// The same request came before and has no answer: it is in progress, or was interrupted.
    Unfinished,
    /// The key was used for a different request.
    Other,
}

/// Stores a request under its key, unless the key is known already.
///
/// # Errors
/// [`DbError`] if a statement fails.
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

/// Stores the answer of a request.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn finish(conn: &mut AsyncPgConnection, user: UserId, key: &str, answer: &Answer) -> Result<(), DbError> {
    diesel::update(keys::table.find((user, key))).set(answer).execute(conn).await?;
    Ok(())
}

/// Deletes the key of a request that changed nothing.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, user: UserId, key: &str) -> Result<(), DbError> {
    diesel::delete(keys::table.find((user, key))).execute(conn).await?;
    Ok(())
}

/// Deletes at most `limit` keys that are older than a day. Returns the number of deleted keys.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, limit: i64) -> Result<usize, DbError> {
    let old = "DELETE FROM idempotency_keys WHERE (user_id, key) IN \
        (SELECT user_id, key FROM idempotency_keys WHERE created < now() - interval '24 hours' LIMIT $1)";
    Ok(diesel::sql_query(old).bind::<diesel::sql_types::BigInt, _>(limit).execute(conn).await?)
}
