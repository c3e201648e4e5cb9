//! Gives an instance's traffic to an app server: checks from the gateway's side that it works, then compares and swaps
//! the pointer. A job updates the gateway. Automation is in [`super::when_running`], rollback in [`super::rollback`].

use std::time::Duration;

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::app_server::{
    ActivationKind, MAX_DRAIN_LIMIT, Possible, can_activate, can_activate_when_running, can_have_traffic,
};
use shared_types::audit::Operation;
use shared_types::{AppServerId, AppServerSummary, EventKind, FieldError, InstanceId, Serving};

use super::switch::{self, Switch, Switched, swapped};
use crate::instances::journal::Journal;
use crate::instances::store::builds::{self, Wish};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::store::summaries;
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// How an app server is to be activated.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The app server that must be active before (inner None: none); outer None: no condition.
    pub expected_active: Option<Option<AppServerId>>,
    /// Whether an app server that is being built is activated when it runs.
    pub when_running: bool,
    /// Whether the checks are skipped.
    pub force: bool,
    /// Seconds that the replaced app server may drain; None: the setting.
    pub drain_limit_seconds: Option<i32>,
    pub reason: Option<String>,
}

/// The result of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is active; the gateway has that when its applied generation has reached this one.
    Active {
        /// The instance's routing generation.
        generation: i64,
    },
    /// It is activated when its build has succeeded.
    WhenRunning,
    /// It is activated when its hooks have succeeded.
    AfterHooks,
}

impl From<Switched> for Decision {
    fn from(switched: Switched) -> Self {
        match switched {
            Switched::Now { generation } => Self::Active { generation },
            Switched::AfterHooks => Self::AfterHooks,
        }
    }
}

impl Request {
    fn check(&self) -> Result<(), Refusal> {
        let mut errors: Vec<FieldError> = force_errors(self.force, self.reason.as_deref());
        if self.drain_limit_seconds.is_some_and(|limit| !(0..=MAX_DRAIN_LIMIT).contains(&limit)) {
            let words = format!("Must be 0 to {MAX_DRAIN_LIMIT} seconds.");
            errors.push(FieldError::new("drain_limit_seconds", words));
        }
        if errors.is_empty() { Ok(()) } else { Err(Refusal::Invalid(errors)) }
    }
}

/// Skipping the checks needs a reason.
pub(in crate::instances) fn force_errors(force: bool, reason: Option<&str>) -> Vec<FieldError> {
    let lacks_reason = force && reason.is_none();
    lacks_reason.then(|| FieldError::new("reason", "Skipping the checks needs a reason.")).into_iter().collect()
}

/// Activates an app server, or requests its activation when it runs. Done already: success.
///
/// # Errors
/// [`Refusal::Conflict`] when neither is possible, its checks fail, or another app server is active than expected;
/// [`Refusal::Invalid`] for fields that are not valid.
pub async fn activate(
    manager: &Manager,
    actor: &Actor,
    id: AppServerId,
    request: Request,
) -> Result<Decision, Refusal> {
    request.check()?;
    let (mut summary, instance) = read(manager, id).await?;
    if summary.serving == Serving::Active {
        return Ok(Decision::Active { generation: instance.routing_generation });
    }
    may_have_traffic(&instance)?;
    if request.when_running && summary.status.is_building() {
        if want(manager, actor, id, &instance, &request).await? {
            return Ok(Decision::WhenRunning);
        }
        // Its build has just ended.
        (summary, _) = read(manager, id).await?;
    }
    let possible = if request.when_running {
        can_activate_when_running(summary.status, summary.serving)
    } else {
        can_activate(summary.status, summary.serving)
    };
    if let Possible::No(why) = possible {
        return Err(Refusal::Conflict(format!("App server {id} is {}. {why}", summary.status.as_str())));
    }
    if !request.force {
        prove(manager, id, Duration::MAX).await?;
    }
    swap(manager, actor, id, summary.instance_id, &request).await
}

async fn read(manager: &Manager, id: AppServerId) -> Result<(AppServerSummary, InstanceRow), Refusal> {
    let mut conn = manager.db.conn().await?;
    let summary = summaries::read(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    let instance = instances::find(&mut conn, summary.instance_id)
        .await?
        .ok_or_else(|| DbError::Corrupt(format!("instance {} is missing", summary.instance_id)))?;
    Ok((summary, instance))
}

/// Refuses if the instance is archived.
pub(in crate::instances) fn may_have_traffic(instance: &InstanceRow) -> Result<(), Refusal> {
    match can_have_traffic(instance.archived_at.is_some()) {
        Possible::Yes => Ok(()),
        Possible::No(why) => Err(Refusal::Conflict(why.to_owned())),
    }
}

/// Makes the checks now, and refuses if one fails; no answer may take longer than `patience`.
pub(in crate::instances) async fn prove(manager: &Manager, id: AppServerId, patience: Duration) -> Result<(), Refusal> {
    let checks = crate::instances::health::checks::check_within(manager, id, patience).await?;
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
        "Cannot make an unhealthy app server active. Its checks failed: {}. Try again, or force it and say why.",
        failed.join("; ")
    )))
}

async fn swap(
    manager: &Manager,
    actor: &Actor,
    id: AppServerId,
    of: InstanceId,
    request: &Request,
) -> Result<Decision, Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let instance = instances::lock(conn, of).await?.ok_or(Refusal::NotFound { what: "instance", id: of.0 })?;
        let before = instance.active_app_server_id;
        if before == Some(id) {
            return Ok(Decision::Active { generation: instance.routing_generation });
        }
        may_have_traffic(&instance)?;
        if let Some(expected) = request.expected_active.filter(|expected| *expected != before) {
            return Err(Refusal::Conflict(swapped(expected, before)));
        }
        let switch = Switch {
            app_server: id,
            kind: ActivationKind::Manual,
            is_forced: request.force,
            drain_limit_seconds: request.drain_limit_seconds,
            reason: request.reason.as_deref(),
            has_run_hooks: false,
        };
        Ok(switch::write(manager, conn, actor, &instance, &switch).await?.into())
    })
    .await
}

/// Requests that automation activates it when it runs. False: its build has ended.
async fn want(
    manager: &Manager,
    actor: &Actor,
    id: AppServerId,
    instance: &InstanceRow,
    request: &Request,
) -> Result<bool, Refusal> {
    if request.force {
        let words = "One that is still being built is checked when it runs; leave this out, or wait until it runs.";
        return Err(Refusal::Invalid(vec![FieldError::new("force", words)]));
    }
    let before = instance.active_app_server_id;
    if let Some(expected) = request.expected_active.filter(|expected| *expected != before) {
        return Err(Refusal::Conflict(swapped(expected, before)));
    }
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        // Under the build's lock: the build ends later, or has ended.
        let status = builds::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        let build = builds::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        if !status.is_building() {
            return Ok(false);
        }
        if let Some(by) = build.stop_requested_by {
            return Err(Refusal::Conflict(format!(
                "App server {id} is being stopped by {by}; launch another one to activate it."
            )));
        }
        if build.activate_when_running {
            return Ok(true);
        }
        let (reason, drain_limit_seconds) = (request.reason.as_deref(), request.drain_limit_seconds);
        builds::want_activation(conn, id, Some(Wish { by: actor, reason, drain_limit_seconds })).await?;
        Journal::of(actor, Operation::ActivateAppServer)
            .app_server(instance.id, id)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(format!("{actor} wants it to be activated when it runs")))
            .detail(json!({ "when_running": true, "status": status }))
            .reason(reason)
            .write(conn)
            .await?;
        Ok(true)
    })
    .await
}
