//! The table `outbox`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::platform::db::DbError;

/// A message to write.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// What it is about; decides who composes and sends it.
    pub kind: &'a str,
    /// Of messages with one key the first counts; none: each counts.
    pub key: Option<&'a str>,
    /// What it is composed from: an object, without secrets.
    pub payload: Value,
}

/// A message that a worker tries to deliver.
#[derive(Debug, Clone, PartialEq, diesel::QueryableByName)]
pub struct Item {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// What it is about.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What it is composed from.
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    /// Which try this is, from 1. Fences: a later try has a higher one.
    #[diesel(sql_type = Integer)]
    pub tries: i32,
}

/// Writes a message, in the caller's transaction. False: one with this key was written before.
///
/// # Errors
/// When the statement fails.
pub async fn put(conn: &mut AsyncPgConnection, new: &New<'_>) -> Result<bool, DbError> {
    adopt(conn, new, 0, None).await
}

/// Writes a message that was tried before, elsewhere. False: one with this key was written before.
///
/// # Errors
/// When the statement fails.
pub async fn adopt(
    conn: &mut AsyncPgConnection,
    new: &New<'_>,
    tries: i32,
    due: Option<DateTime<Utc>>,
) -> Result<bool, DbError> {
    let New { kind, key, payload } = new;
    let written = diesel::sql_query(
        "INSERT INTO outbox (kind, key, payload, tries, due) VALUES ($1, $2, $3, $4, coalesce($5, now())) \
         ON CONFLICT (key) DO NOTHING",
    )
    .bind::<Text, _>(kind)
    .bind::<Nullable<Text>, _>(key)
    .bind::<Jsonb, _>(payload)
    .bind::<Integer, _>(tries)
    .bind::<Nullable<Timestamptz>, _>(due)
    .execute(conn)
    .await?;
    Ok(written == 1)
}

/// Takes one message that is due; no other worker does, for so long.
///
/// # Errors
/// When the statement fails.
pub(super) async fn claim(conn: &mut AsyncPgConnection, lease: Duration) -> Result<Option<Item>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE outbox SET tries = tries + 1, due = now() + make_interval(secs => $1) \
         WHERE id = (SELECT id FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND due <= now() \
             ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
         RETURNING id, kind, payload, tries",
    )
    .bind::<Double, _>(lease.as_secs_f64())
    .get_result(conn)
    .await
    .optional()?)
}

/// The message was delivered.
///
/// # Errors
/// When the statement fails.
pub(super) async fn settle(conn: &mut AsyncPgConnection, item: &Item) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE outbox SET sent_at = now(), last_error = NULL WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL",
    )
    .bind::<BigInt, _>(item.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// The message is tried again after a pause, unless another worker tries it by now.
///
/// # Errors
/// When the statement fails.
pub(super) async fn postpone(
    conn: &mut AsyncPgConnection,
    item: &Item,
    pause: Duration,
    words: &str,
) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE outbox SET due = now() + make_interval(secs => $3), last_error = left($4, 1000) \
         WHERE id = $1 AND tries = $2 AND sent_at IS NULL AND given_up_at IS NULL",
    )
    .bind::<BigInt, _>(item.id)
    .bind::<Integer, _>(item.tries)
    .bind::<Double, _>(pause.as_secs_f64())
    .bind::<Text, _>(words)
    .execute(conn)
    .await?;
    Ok(())
}

/// The message is not tried any more. False: another worker tries it by now.
///
/// # Errors
/// When the statement fails.
pub(super) async fn give_up(conn: &mut AsyncPgConnection, item: &Item, words: &str) -> Result<bool, DbError> {
    let given_up = diesel::sql_query(
        "UPDATE outbox SET given_up_at = now(), last_error = left($3, 1000) \
         WHERE id = $1 AND tries = $2 AND sent_at IS NULL AND given_up_at IS NULL",
    )
    .bind::<BigInt, _>(item.id)
    .bind::<Integer, _>(item.tries)
    .bind::<Text, _>(words)
    .execute(conn)
    .await?;
    Ok(given_up == 1)
}

/// Deletes what was not sent yet, where there is nobody any more to send it to.
///
/// # Errors
/// When the statement fails.
pub async fn discard_unsent(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL").execute(conn).await?;
    Ok(())
}

/// Removes messages that were sent or given up more than so many days ago, at most `limit`. Gives how many.
///
/// # Errors
/// When the statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    Ok(diesel::sql_query(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE (sent_at IS NOT NULL OR given_up_at IS NOT NULL) \
         AND coalesce(sent_at, given_up_at) < now() - make_interval(days => $1) \
         ORDER BY coalesce(sent_at, given_up_at) LIMIT $2)",
    )
    .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}
