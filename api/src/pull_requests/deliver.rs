//! A webhook's delivery: remembered, and turned into a job. What it says is not believed: the pull request is asked for.

use diesel_async::AsyncConnection;

use super::jobs::SyncPullRequest;
use super::store::{deliveries, repositories};
use super::webhook::Wakeup;
use super::{Watch, WatchError};

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It came before; nothing was done.
    Before,
    /// It is of a repository that is not watched; nothing was done.
    NotWatched,
    /// What it is about will be asked for.
    Taken,
}

/// Takes a delivery whose signature was good.
///
/// # Errors
/// When the database fails; it may be delivered again then.
pub async fn deliver(watch: &Watch, delivery: &str, wakeup: &Wakeup) -> Result<Delivered, WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    conn.transaction(async |conn| {
        let known = repositories::by_github(conn, wakeup.github_id, &wakeup.repository).await?;
        let known = match known {
            Some(known) if watch.rules.fork(&known.configured).is_some() => known,
            // The first sign of a repository may be a delivery.
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
