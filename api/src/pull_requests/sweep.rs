//! Looks at GitHub now and then, so that nothing is missed when a webhook is: what has changed in each watched repository since
//! the last look, and now and then all that is open.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncConnection;

use super::github::{Changes, Listed};
use super::jobs::SyncPullRequest;
use super::store::due;
use super::store::repositories::{self, Repository, Swept};
use super::{Watch, WatchError};

/// How often all open ones are listed: some changes, like a deleted fork, are none of the pull request's.
const WHOLE: TimeDelta = TimeDelta::hours(1);
/// How far the first look at changes goes back where nothing is open: farther than clocks differ.
const FIRST: TimeDelta = TimeDelta::days(1);

/// Looks at each watched repository that nobody has looked at for `interval`. One that fails stops no other.
///
/// # Errors
/// When the database fails.
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

/// All that is open, and all that was.
async fn look_at_all(watch: &Watch, repository: &Repository, began: DateTime<Utc>) -> Result<(), WatchError> {
    let mut listed = watch.ask(async || watch.github.open(&repository.name).await).await?;
    let latest = listed.iter().map(|one| one.updated).max();
    let mut conn = watch.manager.db.conn().await?;
    for number in due::open(&mut conn, repository.id).await? {
        if !listed.iter().any(|one| one.number == number) {
            // It is open no more; asking says what it is.
            listed.push(Listed { number, updated: DateTime::<Utc>::MAX_UTC });
        }
    }
    drop(conn);
    let seen_until = repository.seen_until.is_none().then(|| latest.unwrap_or(began - FIRST));
    write(watch, repository, &listed, Swept { etag: None, seen_until, swept_whole_at: Some(began) }).await
}

/// Asks for those that have changed, and writes down how far we came, at once.
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
