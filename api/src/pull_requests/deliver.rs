//! Takes a webhook's delivery: stores its id and enqueues a job that fetches the pull request. The payload is not
//! trusted.

use diesel_async::AsyncConnection;

use super::jobs::SyncPullRequest;
use super::store::{deliveries, repositories};
use super::webhook::Wakeup;
use super::{Watch, WatchError};

/// The outcome of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// A duplicate; nothing was done.
    Before,
    /// The repository is not watched; nothing was done.
    NotWatched,
    /// The pull request or repository will be fetched.
    Taken,
}

/// Takes a delivery whose signature was verified.
///
/// # Errors
/// [`WatchError::Db`] when the database fails; GitHub may deliver it again then.
pub async fn deliver(watch: &Watch, delivery: &str, wakeup: &Wakeup) -> Result<Delivered, WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    conn.transaction(async |conn| {
        let known = repositories::by_github(conn, wakeup.github_id, &wakeup.repository).await?;
        let known = match known {
            Some(known) if watch.rules.fork(&known.configured).is_some() => known,
            // A delivery may come before the first sweep of the repository.
            Some(_) | None => match watch.rules.fork(&wakeup.repository) {
                Some(fork) => repositories::configured(conn, &fork.name).await?,
                None => return Ok(Delivered::NotWatched),
            },
        };
        if known.github_id.is_some_and(|id| id != wakeup.github_id) {
            return Ok(Delivered::NotWatched);
        }
        if !deliveries::remember(conn, delivery).await? {
            return Ok(Delivered::Before);
        }
        match wakeup.number {
            Some(number) => SyncPullRequest::enqueue(conn, known.id, number).await?,
            None => repositories::forget_sweeps(conn, known.id).await?,
        }
        Ok(Delivered::Taken)
    })
    .await
}
