//! Periodic work: archives the instances of closed and stale pull requests, and retries what failed.

use chrono::{TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use super::store::{Row, deliveries, due, repositories, rows, writes};
use super::{Watch, WatchError, describe, follow};
use crate::instances::Refusal;
use crate::instances::builds::stop;
use crate::instances::resources::purge;
use crate::instances::store::{app_servers, instances};
use crate::instances::upkeep::archive;

/// How long ids of deliveries are kept; GitHub redelivers none after three days.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// Archives the instances that are due. One that cannot be archived does not stop the others.
///
/// # Errors
/// [`WatchError::Db`] when the database fails.
pub async fn archive_due(watch: &Watch) -> Result<(), WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    if let Some(span) = watch.rules.time_to_live {
        for id in due::forgotten(&mut conn, Utc::now() - span).await? {
            writes::archive_at(&mut conn, id, Some(Utc::now())).await?;
        }
    }
    for id in due::to_archive(&mut conn).await? {
        let done = conn.transaction(async |conn| archive_one(watch, conn, id).await).await;
        match done {
            Ok(()) => {}
            Err(Refusal::Db(error)) => return Err(error.into()),
            Err(refusal) => tracing::warn!(%refusal, pull_request = id.0, "an instance could not be archived"),
        }
    }
    Ok(())
}

async fn archive_one(watch: &Watch, conn: &mut AsyncPgConnection, id: PullRequestId) -> Result<(), Refusal> {
    let Some(row) = rows::lock(conn, id).await? else { return Ok(()) };
    if row.archive_at.is_none_or(|at| at > Utc::now()) || !is_over(watch, &row) {
        return Ok(());
    }
    let instance = match row.instance_id {
        Some(id) => instances::find(conn, id).await?,
        None => None,
    };
    let Some(instance) = instance.filter(|instance| instance.archived_at.is_none()) else {
        // A user has archived it already.
        return Ok(writes::archived(conn, id, false).await?);
    };
    let repository = repositories::find(conn, row.repository_id).await?.map(|one| one.name).unwrap_or_default();
    let actor = describe::actor(&repository, row.number);
    let mut is_building = false;
    for one in app_servers::with_machines(conn, instance.id).await? {
        if one.status.is_building() {
            is_building = true;
            stop::stop(conn, &actor, one.id, Some("its pull request is over".into())).await?;
        }
    }
    if is_building {
        // The next run archives it, once the builds have ended.
        return Ok(());
    }
    archive::archive(conn, &actor, instance.id, true).await?;
    // The data of a preview ends with it; that of other instances is only deleted by people.
    purge::begin_made(&watch.manager, conn, instance.id).await?;
    writes::archived(conn, id, true).await?;
    follow::tell(conn, &row).await
}

/// Whether the pull request is closed, or has not changed for WATCH_TTL_DAYS.
fn is_over(watch: &Watch, row: &Row) -> bool {
    let is_forgotten = watch.rules.time_to_live.is_some_and(|span| row.github_updated + span < Utc::now());
    row.state != PullRequestState::Open || is_forgotten
}

/// Retries the pull requests that have a trouble, and deletes old delivery ids.
///
/// # Errors
/// [`WatchError::Db`] when the database fails.
pub async fn try_again(watch: &Watch) -> Result<(), WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    for id in due::troubled(&mut conn).await? {
        conn.transaction(async |conn| follow::follow(watch, conn, id).await).await?;
    }
    Ok(deliveries::forget(&mut conn, Utc::now() - REMEMBERED).await?)
}
