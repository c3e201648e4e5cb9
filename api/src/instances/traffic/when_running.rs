//! Activates app servers that were to be activated when they run. Automation overrides no user: it stops at a hold, an
//! archived instance or a newer app server, and swaps the pointer only if it is unchanged since before the checks.

use std::time::Duration;

use chrono::Utc;
use diesel_async::AsyncConnection;
use shared_types::app_server::ActivationKind;
use shared_types::{AppServerId, AppServerStatus, EventKind};

use super::activate::prove;
use super::switch::{self, Switch};
use crate::instances::builds::patience;
use crate::instances::journal::Journal;
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::builds::{self, BuildRow};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// The result of one try.
enum Tried {
    /// It is active, or waits for its hooks.
    Done,
    /// The next sweep tries again.
    Later,
    /// It is not to be activated any more; the reason.
    GivenUp(String),
}

/// Tries once. A failure that may pass is left to the next sweep, until `OCIM_CHECKS_TIMEOUT` after the app server
/// began to run; then, or if there is an obstacle, it gives up with a line in the app server's log. May be repeated.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn when_running(manager: &Manager, id: AppServerId) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let (Some(row), Some(build)) = (app_servers::find(&mut conn, id).await?, builds::find(&mut conn, id).await?) else {
        return Ok(());
    };
    if !build.activate_when_running || row.status != AppServerStatus::Running {
        return Ok(());
    }
    let Some(seen) = instances::find(&mut conn, row.instance_id).await? else { return Ok(()) };
    drop(conn);
    let tried = match obstacle(&seen, id) {
        Some(why) => Tried::GivenUp(why),
        None => match prove(manager, id, Duration::MAX).await {
            Ok(()) => swap(manager, &row, &build, &seen).await?,
            Err(Refusal::Db(error)) => return Err(error),
            Err(_) if Utc::now() < row.modified + patience(manager.options.checks_timeout) => Tried::Later,
            Err(refusal) => Tried::GivenUp(refusal.to_string()),
        },
    };
    match tried {
        Tried::Done | Tried::Later => Ok(()),
        Tried::GivenUp(why) => give_up(manager, &row, &why).await,
    }
}

/// What keeps automation from activating; None: nothing does.
pub(super) fn obstacle(instance: &InstanceRow, id: AppServerId) -> Option<String> {
    if instance.archived_at.is_some() {
        return Some("the instance is archived".to_owned());
    }
    if let Some(by) = &instance.hold_by {
        return Some(format!("{by} holds the instance"));
    }
    let newer = instance.active_app_server_id.filter(|active| *active > id);
    newer.map(|active| format!("the newer app server {active} is active"))
}

async fn swap(manager: &Manager, row: &AppServerRow, build: &BuildRow, seen: &InstanceRow) -> Result<Tried, DbError> {
    let mut conn = manager.db.conn().await?;
    let swapped = conn
        .transaction(async |conn| {
            let Some(instance) = instances::lock(conn, row.instance_id).await? else {
                return Ok(Tried::Later);
            };
            if let Some(why) = obstacle(&instance, row.id) {
                return Ok(Tried::GivenUp(why));
            }
            if instance.active_app_server_id == Some(row.id) {
                builds::want_activation(conn, row.id, None).await?;
                return Ok(Tried::Done);
            }
            if instance.active_app_server_id != seen.active_app_server_id {
                return Ok(Tried::Later);
            }
            let switch = Switch {
                app_server: row.id,
                kind: ActivationKind::Automatic,
                is_forced: false,
                drain_limit_seconds: build.activate_drain_limit_seconds,
                reason: build.activate_reason.as_deref(),
                has_run_hooks: false,
            };
            let actor = build.activate_requested_by.as_ref().unwrap_or(&Actor::Automation);
            switch::write(manager, conn, actor, &instance, &switch).await?;
            Ok::<_, Refusal>(Tried::Done)
        })
        .await;
    match swapped {
        Ok(tried) => Ok(tried),
        Err(Refusal::Db(error)) => Err(error),
        Err(refusal) => Ok(Tried::GivenUp(refusal.to_string())),
    }
}

async fn give_up(manager: &Manager, row: &AppServerRow, why: &str) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if !builds::want_activation(conn, row.id, None).await? {
            return Ok(());
        }
        Journal::of_consequence()
            .app_server(row.instance_id, row.id)
            .event(EventKind::AppServerUpdated)
            .line(Line::warning(format!("Not activated by itself: {why}")))
            .write(conn)
            .await
    })
    .await
}
