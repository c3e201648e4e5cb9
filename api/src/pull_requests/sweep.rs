//! Polls GitHub periodically, so that a lost webhook loses no change: each sweep lists what has changed in a watched
//! repository since the last one, and once an hour all open pull requests.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection;

use super::github::{Changes, Listed};
use super::jobs::SyncPullRequest;
use super::store::due;
use super::store::repositories::{self, Repository, Swept};
use super::{Watch, WatchError};

/// How often all open pull requests are listed: some changes, like a deleted fork, do not change `updated_at`.
const WHOLE: TimeDelta = TimeDelta::hours(1);
/// How far back the first sweep begins if no pull request is open; more than any clock skew.
const FIRST: TimeDelta = TimeDelta::days(1);

/// Sweeps each watched repository that no process has swept for `interval`. A failed sweep does not stop the others.
///
/// # Errors
/// [`WatchError::Db`] when the database fails.
pub async fn sweep(watch: &Watch, interval: TimeDelta) -> Result<(), WatchError> {
    for fork in &watch.rules.forks {
        let mut conn = watch.manager.db.conn().await?;
        let repository = repositories::configured(&mut conn, &fork.name).await?;
        if !repositories::claim(&mut conn, repository.id, Utc::now() - interval).await? {
            continue;
        }
        drop(conn);
        if let Err(error) = look(watch, &repository).await {
            tracing::warn!(%error, repository = repository.name, "pull requests could not be looked for");
            let mut conn = watch.manager.db.conn().await?;
            repositories::trouble(&mut conn, repository.id, &error.to_string()).await?;
        }
    }
    Ok(())
}

async fn look(watch: &Watch, repository: &Repository) -> Result<(), WatchError> {
    let began = Utc::now();
    if repository.swept_whole_at.is_none_or(|at| at + WHOLE < began) {
        return look_at_all(watch, repository, began).await;
    }
    let (since, etag) = (repository.seen_until, repository.etag.as_deref());
    let changes = watch.ask(async || watch.github.changes(&repository.name, since, etag).await).await?;
    match changes {
        Changes::None => {
            write(watch, repository, &[], Swept { etag: None, seen_until: None, swept_whole_at: None }).await
        }
        Changes::Some { listed, etag } => {
            let seen_until = listed.iter().map(|one| one.updated).max();
            write(watch, repository, &listed, Swept { etag, seen_until, swept_whole_at: None }).await
        }
    }
}

/// Lists all open pull requests, and those that are stored as open.
async fn look_at_all(watch: &Watch, repository: &Repository, began: DateTime<Utc>) -> Result<(), WatchError> {
    let mut listed = watch.ask(async || watch.github.open(&repository.name).await).await?;
    let latest = listed.iter().map(|one| one.updated).max();
    let mut conn = watch.manager.db.conn().await?;
    for number in due::open(&mut conn, repository.id).await? {
        if !listed.iter().any(|one| one.number == number) {
            // Not listed, so no longer open: the job fetches its state.
            listed.push(Listed { number, updated: DateTime::<Utc>::MAX_UTC });
        }
    }
    drop(conn);
    let seen_until = repository.seen_until.is_none().then(|| latest.unwrap_or(began - FIRST));
    write(watch, repository, &listed, Swept { etag: None, seen_until, swept_whole_at: Some(began) }).await
}

/// Enqueues the changed pull requests and stores the sweep's position, in one transaction.
async fn write(watch: &Watch, repository: &Repository, listed: &[Listed], swept: Swept) -> Result<(), WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    let numbers: Vec<i32> = listed.iter().map(|one| one.number).collect();
    let known: HashMap<_, _> = due::known(&mut conn, repository.id, &numbers).await?.into_iter().collect();
    let changed = listed.iter().filter(|one| known.get(&one.number) != Some(&one.updated));
    let numbers: Vec<i32> = changed.map(|one| one.number).collect();
    conn.transaction(async |conn| {
        SyncPullRequest::enqueue_all(conn, repository.id, &numbers).await?;
        repositories::swept(conn, repository.id, &swept).await
    })
    .await?;
    Ok(())
}
