//! Outgoing messages: written in the transaction that decides them, and delivered by any worker.
//!
//! Delivery is at least once: a worker that dies between delivering a message and recording it causes a second copy, so
//! a [`Courier`] gives each copy the same id. Failed deliveries are retried with exponential back-off for about a day;
//! then the message is given up and stays visible (`ocim_outbox_given_up`, the log).
//!
//! Not here: composing and sending messages; that is the courier's task. A payload holds ids and words, no secret.

mod store;

use std::time::Duration;

use async_trait::async_trait;

use crate::platform::db::{Db, DbError};

pub use store::{Item, New, adopt, discard_unsent, prune, put};

/// The time limit of one attempt, and its lease: after this time another worker may try, too.
pub const ONE_TRY: Duration = Duration::from_secs(600);
/// With the pauses between attempts, this takes about a day.
pub const MAX_TRIES: i32 = 30;
/// How many messages one worker delivers at once.
const AT_ONCE: usize = 4;

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// Transient; the message is retried.
    Later(String),
    /// Permanent; the message is given up.
    Never(String),
}

/// Composes and sends messages.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Delivers one message.
    ///
    /// # Errors
    /// [`Undelivered`], which says whether a retry may succeed.
    async fn deliver(&self, item: &Item) -> Result<(), Undelivered>;

    /// Called when a message was given up, for instance to log it.
    ///
    /// # Errors
    /// [`DbError`] if the database does not answer.
    async fn gave_up(&self, item: &Item, words: &str) -> Result<(), DbError>;
}

/// Delivers all messages that are due.
///
/// # Errors
/// [`DbError`] if the database does not answer.
pub async fn deliver_due(db: &Db, courier: &dyn Courier) -> Result<(), DbError> {
    let deliveries = (0..AT_ONCE).map(|_| async {
        while let Some(item) = store::claim(&mut *db.conn().await?, ONE_TRY).await? {
            deliver(db, courier, &item).await?;
        }
        Ok::<_, DbError>(())
    });
    futures::future::try_join_all(deliveries).await.map(drop)
}

async fn deliver(db: &Db, courier: &dyn Courier, item: &Item) -> Result<(), DbError> {
    let delivered = tokio::time::timeout(ONE_TRY, courier.deliver(item)).await;
    let delivered = delivered.unwrap_or_else(|_| Err(Undelivered::Later("it took too long".to_owned())));
    let mut conn = db.conn().await?;
    match delivered {
        Ok(()) => store::settle(&mut conn, item).await,
        Err(Undelivered::Later(words)) if item.tries < MAX_TRIES => {
            tracing::warn!(message = item.id, kind = item.kind, tries = item.tries, error = words, "a message waits");
            store::postpone(&mut conn, item, pause(item.tries), &words).await
        }
        Err(Undelivered::Later(words) | Undelivered::Never(words)) => {
            if store::give_up(&mut conn, item, &words).await? {
                drop(conn);
                tracing::error!(message = item.id, kind = item.kind, error = words, "a message was given up");
                courier.gave_up(item, &words).await?;
            }
            Ok(())
        }
    }
}

/// Exponential back-off: one minute, doubled with each attempt, at most an hour.
fn pause(tries: i32) -> Duration {
    let exponent = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(6);
    Duration::from_secs(60 * 2u64.pow(exponent).min(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_tried_for_a_day() {
        let pauses: Vec<u64> = (1..MAX_TRIES).map(|tries| pause(tries).as_secs() / 60).collect();
        assert_eq!(pauses.get(..8), Some(&[1, 2, 4, 8, 16, 32, 60, 60][..]));
        let hours = pauses.iter().sum::<u64>() / 60;
        assert_eq!(hours, 24);
    }
}
