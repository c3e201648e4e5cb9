//! Gives an instance's traffic to an app server: prove it works, then compare and swap the pointer. The gateway is told by
//! a job; going back is the same act with the other app server.

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::app_server::{ActivationKind, Possible, can_activate};
use shared_types::{AppServerId, AppServerStatus, EventKind, Serving};

use super::store::{activations, app_servers, builds, instances, summaries};
use super::{Manager, Refusal};
use crate::db::DbError;
use crate::instances::jobs::ApplyRouting;
use crate::{audit, events, logs};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Only if this is what is active; the outer none: whatever is active.
    pub expected_active: Option<Option<AppServerId>>,
    /// Why.
    pub reason: Option<String>,
    /// How it comes about.
    pub kind: ActivationKind,
}

impl Default for Request {
    fn default() -> Self {
        Self { expected_active: None, reason: None, kind: ActivationKind::Manual }
    }
}

/// Activates an app server. Active already: nothing is done and that is success.
///
/// # Errors
/// [`Refusal::Conflict`] when it is not running, does not pass its checks, or something else is active than expected.
pub async fn activate(manager: &Manager, actor: &str, id: AppServerId, request: Request) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    let summary = summaries::read(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    drop(conn);
    if summary.serving == Serving::Active {
        return Ok(());
    }
    if let Possible::No(why) = can_activate(summary.status, summary.serving) {
        return Err(Refusal::Conflict(format!("App server {id} is {}. {why}", summary.status.as_str())));
    }
    prove(manager, id).await?;
    point(manager, actor, id, &request).await
}

/// Activates an app server that was to be when it runs: not while a hold is on, not in the place of a newer one, and only if
/// nothing else was activated meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn when_running(manager: &Manager, id: AppServerId) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let (Some(row), Some(build)) = (app_servers::find(&mut conn, id).await?, builds::find(&mut conn, id).await?) else {
        return Ok(());
    };
    let Some(instance) = instances::find(&mut conn, row.instance_id).await? else { return Ok(()) };
    if !build.activate_when_running || row.status != AppServerStatus::Running {
        return Ok(());
    }
    drop(conn);
    let active = instance.active_app_server_id;
    let obstacle = if let Some(by) = &instance.hold_by {
        Some(format!("{by} holds the instance"))
    } else {
        active.filter(|active| *active > id).map(|active| format!("the newer app server {active} is active"))
    };
    let refused = match obstacle {
        Some(obstacle) => Some(obstacle),
        None => {
            let actor = build.activate_requested_by.as_deref().unwrap_or("automation");
            let request =
                Request { expected_active: Some(active), kind: ActivationKind::Automatic, ..Request::default() };
            match activate(manager, actor, id, request).await {
                Ok(()) => None,
                Err(Refusal::Db(error)) => return Err(error),
                Err(refusal) => Some(refusal.to_string()),
            }
        }
    };
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        builds::want_activation(conn, id, None).await?;
        if let Some(why) = refused {
            let line = logs::Line::warning(format!("Not activated by itself: {why}"));
            logs::append(conn, logs::About::AppServer(row.instance_id, id), &[line]).await?;
        }
        events::record(conn, EventKind::AppServerUpdated, events::About::app_server(row.instance_id, id)).await
    })
    .await
}

/// The checks, now.
async fn prove(manager: &Manager, id: AppServerId) -> Result<(), Refusal> {
    let checks = super::checks::check(manager, id).await?;
    if checks.passed() {
        return Ok(());
    }
    let failed: Vec<String> = checks
        .items
        .iter()
        .filter(|check| !check.is_ok)
        .map(|check| format!("{}: {}", check.name, check.detail))
        .collect();
    Err(Refusal::Conflict(format!(
        "Cannot make an unhealthy app server active. Its checks failed: {}.",
        failed.join("; ")
    )))
}

async fn point(manager: &Manager, actor: &str, id: AppServerId, request: &Request) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        let instance = instances::lock(conn, row.instance_id)
            .await?
            .ok_or_else(|| DbError::Corrupt(format!("instance {} is missing", row.instance_id)))?;
        let before = instance.active_app_server_id;
        if before == Some(id) {
            return Ok(());
        }
        if let Some(expected) = request.expected_active.filter(|expected| *expected != before) {
            return Err(Refusal::Conflict(swapped(expected, before)));
        }
        let hostnames = manager.application(&instance.instance_type)?.addresses(&row.settings)?.hostnames;
        if let Some(taken) = instances::claim_hostnames(conn, instance.id, &hostnames).await? {
            return Err(Refusal::Conflict(format!(
                "App server {id} was built for {taken}, which another instance has now."
            )));
        }
        let generation = instances::point(conn, instance.id, id, before).await?;
        let new = activations::NewActivation {
            instance_id: instance.id,
            app_server_id: id,
            replaced_app_server_id: before,
            generation,
            activated_by: actor,
            reason: request.reason.as_deref(),
            kind: request.kind,
            is_forced: false,
            drain_limit_seconds: before
                .map(|_| i32::try_from(manager.options.drain_limit.as_secs()).unwrap_or(i32::MAX)),
        };
        activations::insert(conn, new).await?;
        ApplyRouting::enqueue(conn, instance.id).await?;
        events::record(conn, EventKind::AppServerActivated, events::About::app_server(instance.id, id)).await?;
        let line = logs::Line::info(format!("{} activated by {actor}", row.name));
        logs::append(conn, logs::About::AppServer(instance.id, id), std::slice::from_ref(&line)).await?;
        logs::append(conn, logs::About::Instance(instance.id), &[line]).await?;
        let detail = json!({ "replaced": before, "reason": request.reason });
        let entry = audit::Entry {
            actor,
            action: "activate_app_server",
            instance: Some(instance.id),
            app_server: Some(id),
            detail,
        };
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

fn swapped(expected: Option<AppServerId>, found: Option<AppServerId>) -> String {
    let words = |id: Option<AppServerId>| id.map_or("none".to_owned(), |id| format!("app server {id}"));
    format!("{} is active by now, not {}; look again before you activate another.", words(found), words(expected))
}
