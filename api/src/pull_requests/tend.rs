//! What time brings: instances of closed and forgotten pull requests are archived, and what could not be done is tried again.

use chrono::{TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::PullRequestId;
use shared_types::pull_request::PullRequestState;

use super::store::{Row, deliveries, due, repositories, rows, writes};
use super::{Watch, WatchError, describe, follow};
use crate::instances::Refusal;
use crate::instances::builds::stop;
use crate::instances::store::{app_servers, instances};
use crate::instances::upkeep::archive;

/// How long deliveries are remembered; GitHub sends none again after three days.
const REMEMBERED: TimeDelta = TimeDelta::days(7);

/// Archives the instances whose time has come. One that cannot be archived stops no other.
///
/// # Errors
/// When the database fails.
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
        // Somebody has archived it.
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
        // The next look archives it, when the builds have ended.
        return Ok(());
    }
    archive::archive(conn, &actor, instance.id, true).await?;
    writes::archived(conn, id, true).await?;
    follow::tell(conn, &row).await
}

/// Whether it is closed, or forgotten, still.
fn is_over(watch: &Watch, row: &Row) -> bool {
    let is_forgotten = watch.rules.time_to_live.is_some_and(|span| row.github_updated + span < Utc::now());
    row.state != PullRequestState::Open || is_forgotten
}

/// Tries again what could not be done.
///
/// # Errors
/// When the database fails.
pub async fn try_again(watch: &Watch) -> Result<(), WatchError> {
    let mut conn = watch.manager.db.conn().await?;
    for id in due::troubled(&mut conn).await? {
        conn.transaction(async |conn| follow::follow(watch, conn, id).await).await?;
    }
    Ok(deliveries::forget(&mut conn, Utc::now() - REMEMBERED).await?)
}
