//! Messages to the outside, written in the transaction that decides them, and delivered by whichever worker finds them.
//!
//! A message is delivered at least once: a worker that dies between the delivery and the note of it leaves a second copy. A
//! [`Courier`] therefore gives each copy the same id. While the other side is away a message is tried again with growing pauses,
//! for about a day; then it is given up, and stays visible (`ocim_outbox_given_up`, the log).
//!
//! Not here: what messages say, and how they are sent; that is the courier's. A payload holds ids and words, never a secret.

mod store;

use std::time::Duration;

use async_trait::async_trait;

use crate::platform::db::{Db, DbError};

pub use store::{Item, New, adopt, discard_unsent, prune, put};

/// How long one try may take; a worker that is slower finds that another tries, too.
pub const ONE_TRY: Duration = Duration::from_secs(600);
/// With the pauses between, a day.
pub const MAX_TRIES: i32 = 30;
/// How many messages one worker tries at once.
const AT_ONCE: usize = 4;

/// Why a message was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// It may be later.
    Later(String),
    /// It never will be.
    Never(String),
}

/// Composes and sends messages.
#[async_trait]
pub trait Courier: Send + Sync {
    /// Delivers one.
    ///
    /// # Errors
    /// Why not, and whether it may go better later.
    async fn deliver(&self, item: &Item) -> Result<(), Undelivered>;

    /// Hears that a message was given up.
    ///
    /// # Errors
    /// When the database does not answer.
    async fn gave_up(&self, item: &Item, words: &str) -> Result<(), DbError>;
}

/// Delivers what is due.
///
/// # Errors
/// When the database does not answer.
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

/// Twice as long after each try, an hour at most.
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
