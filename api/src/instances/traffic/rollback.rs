//! Rolls back: one call gives the traffic to the fallback, or to the named app server, and sets the hold, so that
//! automation does not undo it. One transaction, after checks with a short timeout.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::app_server::{ActivationKind, Possible, can_roll_back};
use shared_types::audit::Operation;
use shared_types::{AppServerId, FieldError, InstanceId, Serving};

use super::activate::{Decision, force_errors, may_have_traffic, prove};
use super::hold;
use super::switch::{self, Switch, swapped};
use crate::instances::journal::Journal;
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::store::{activations, summaries};
use crate::instances::{Manager, Refusal};
use crate::platform::origin::Actor;

/// Timeout of each check: a rollback is urgent.
const PATIENCE: Duration = Duration::from_secs(2);

/// How an instance is to be rolled back.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The app server that gets the traffic; None: the fallback.
    pub app_server: Option<AppServerId>,
    /// Whether the checks are skipped.
    pub force: bool,
    pub reason: Option<String>,
}

/// Rolls back and holds. Returns the app server that has the traffic now. Done already (the app server is active and
/// the hold is set; or none was named and the last switch was a rollback that still holds): success.
///
/// # Errors
/// [`Refusal::Conflict`] when there is nothing to roll back to, it is gone or unhealthy, or another was activated
/// meanwhile; [`Refusal::Invalid`] when the named app server is another instance's, or a reason is missing.
pub async fn roll_back(
    manager: &Manager,
    actor: &Actor,
    id: InstanceId,
    request: Request,
) -> Result<(AppServerId, Decision), Refusal> {
    let (seen, target) = prove_target(manager, id, &request).await?;
    let mut conn = manager.db.conn().await?;
    let decision = conn.transaction(async |conn| swap(manager, conn, actor, (&seen, target), &request).await).await?;
    Ok((target, decision))
}

/// The instance as it is now, and the app server that is to get its traffic, which has passed its checks unless they are skipped.
///
/// # Errors
/// As [`roll_back`].
pub(in crate::instances) async fn prove_target(
    manager: &Manager,
    id: InstanceId,
    request: &Request,
) -> Result<(InstanceRow, AppServerId), Refusal> {
    let errors = force_errors(request.force, request.reason.as_deref());
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let (seen, target) = choose(manager, id, request).await?;
    if seen.active_app_server_id != Some(target) && !request.force {
        prove(manager, target, PATIENCE).await?;
    }
    Ok((seen, target))
}

/// The instance as it is now, and the app server that is to get its traffic.
async fn choose(manager: &Manager, id: InstanceId, request: &Request) -> Result<(InstanceRow, AppServerId), Refusal> {
    let mut conn = manager.db.conn().await?;
    let instance = instances::find(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    may_have_traffic(&instance)?;
    let target = match request.app_server {
        Some(named) => Some(named),
        // A second call must not undo the first one.
        None if instance.hold_at.is_some() && is_rolled_back(&mut conn, &instance).await? => {
            instance.active_app_server_id
        }
        None => instance.fallback_app_server_id,
    };
    let Some(target) = target else {
        return Err(refusal(id, can_roll_back(None)));
    };
    let summary = summaries::read(&mut conn, target).await?.filter(|one| one.instance_id == id).ok_or_else(|| {
        let words = format!("Instance {id} has no app server {target}.");
        Refusal::Invalid(vec![FieldError::new("app_server_id", words)])
    })?;
    let possible = can_roll_back(Some((summary.status, summary.serving)));
    if summary.serving != Serving::Active && possible != Possible::Yes {
        return Err(refusal(id, possible));
    }
    Ok((instance, target))
}

async fn is_rolled_back(conn: &mut AsyncPgConnection, instance: &InstanceRow) -> Result<bool, Refusal> {
    let last = activations::page(conn, instance.id, None, 1).await?;
    Ok(last.first().is_some_and(|last| {
        last.kind == ActivationKind::Rollback && instance.active_app_server_id == Some(last.app_server_id)
    }))
}

fn refusal(id: InstanceId, possible: Possible) -> Refusal {
    let why = match possible {
        Possible::Yes => "",
        Possible::No(why) => why,
    };
    Refusal::Conflict(format!("Instance {id} cannot be rolled back. {why}"))
}

/// Rolls back and holds, in the caller's transaction. `seen`: the instance when the app server was chosen.
///
/// # Errors
/// As [`roll_back`].
pub(in crate::instances) async fn swap(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (seen, target): (&InstanceRow, AppServerId),
    request: &Request,
) -> Result<Decision, Refusal> {
    let (id, reason) = (seen.id, request.reason.as_deref());
    let instance = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    may_have_traffic(&instance)?;
    let before = instance.active_app_server_id;
    if before == Some(target) {
        // The entry names the app server; event and line are about the instance, which is held.
        let journal = Journal::of(actor, Operation::RollBackInstance)
            .app_server(id, target)
            .detail(json!({ "was_active": true }))
            .reason(reason);
        hold::set(conn, actor, id, reason, journal).await?;
        return Ok(Decision::Active { generation: instance.routing_generation });
    }
    if before != seen.active_app_server_id {
        return Err(Refusal::Conflict(swapped(seen.active_app_server_id, before)));
    }
    let switch = Switch {
        app_server: target,
        kind: ActivationKind::Rollback,
        is_forced: request.force,
        drain_limit_seconds: None,
        reason,
        has_run_hooks: false,
    };
    let switched = switch::write(manager, conn, actor, &instance, &switch).await?;
    hold::set(conn, actor, id, reason, Journal::of_consequence()).await?;
    Ok(switched.into())
}
