//! The table `outbox`: messages to be sent, sent, or given up.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Double, Integer, Jsonb, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::platform::db::DbError;

/// A message to add to the outbox.
#[derive(Debug, Clone)]
pub struct New<'a> {
    /// The message's kind; decides how it is composed and sent.
    pub kind: &'a str,
    /// The first message with a key wins, later ones are not written; none: always written.
    pub key: Option<&'a str>,
    /// The data that the message is composed from: an object, without secrets.
    pub payload: Value,
}

/// A message that a worker has claimed for delivery.
#[derive(Debug, Clone, PartialEq, diesel::QueryableByName)]
pub struct Item {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// The data that the message is composed from.
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    /// The number of this attempt, from 1. Serves as the fencing token: a later attempt has a higher one.
    #[diesel(sql_type = Integer)]
    pub tries: i32,
}

/// Writes a message in the caller's transaction. False: a message with this key exists.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn put(conn: &mut AsyncPgConnection, new: &New<'_>) -> Result<bool, DbError> {
    adopt(conn, new, 0, None).await
}

/// Writes a message that was already tried by other means. False: a message with this key exists.
///
/// # Errors
/// [`DbError`] if the statement fails.
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

/// Claims one message that is due; no other worker claims it before the lease expires.
///
/// # Errors
/// [`DbError`] if the statement fails.
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

/// Records that the message was delivered.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(super) async fn settle(conn: &mut AsyncPgConnection, item: &Item) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE outbox SET sent_at = now(), last_error = NULL WHERE id = $1 AND sent_at IS NULL AND given_up_at IS NULL",
    )
    .bind::<BigInt, _>(item.id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Schedules a retry after a pause, unless another worker has claimed the message since.
///
/// # Errors
/// [`DbError`] if the statement fails.
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

/// Gives the message up. False: another worker has claimed it since.
///
/// # Errors
/// [`DbError`] if the statement fails.
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

/// Deletes unsent messages, for an installation that no longer has recipients.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn discard_unsent(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL").execute(conn).await?;
    Ok(())
}

/// Deletes messages that were sent or given up more than `days` ago, at most `limit`. Returns the number.
///
/// # Errors
/// [`DbError`] if the statement fails.
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
