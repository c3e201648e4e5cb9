//! Activates an app server with hooks before traffic: the activation waits for them in `hook_runs`. When they have
//! ended, the checks are made and the pointer is swapped, if it is unchanged since the request.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::app_server::ActivationKind;
use shared_types::hook::Moment;
use shared_types::{AppServerId, EventKind};

use super::activate::{may_have_traffic, prove};
use super::switch::{self, Switch, swapped};
use super::when_running;
use crate::instances::jobs::RunHooks;
use crate::instances::journal::Journal;
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::builds;
use crate::instances::store::hook_runs::{self, HookRunRow, Waiting};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::routing::traffic;

/// Makes the hooks of an activation due, in a transaction that has locked the instance. A waiting activation is kept.
pub(super) async fn wait(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    instance: &InstanceRow,
    row: &AppServerRow,
    switch: &Switch<'_>,
) -> Result<(), DbError> {
    let waiting = Waiting {
        by: actor.clone(),
        kind: switch.kind,
        is_forced: switch.is_forced,
        drain_limit_seconds: switch.drain_limit_seconds,
        reason: switch.reason.map(str::to_owned),
        replaces: instance.active_app_server_id,
    };
    // The request to activate it when it runs is fulfilled.
    builds::want_activation(conn, row.id, None).await?;
    if !hook_runs::request(conn, row.id, Moment::BeforeTraffic, Some(&waiting)).await? {
        return Ok(());
    }
    RunHooks::enqueue(conn, row.id).await?;
    Journal::of(actor, switch::operation(switch.kind))
        .app_server(row.instance_id, row.id)
        .event(EventKind::AppServerUpdated)
        .line(Line::info(format!("{actor} activates {} when its hooks have ended", row.name)))
        .detail(json!({ "kind": switch.kind, "is_forced": switch.is_forced, "after_hooks": true }))
        .reason(switch.reason)
        .write(conn)
        .await
}

/// Completes an activation whose hooks have ended: moves the pointer, or refuses. May be repeated.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn settle(manager: &Manager, id: AppServerId) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let Some(run) = hook_runs::of_activation(&mut conn, id, true).await? else { return Ok(()) };
    let (Some(waiting), Some(row)) = (run.waiting()?, app_servers::find(&mut conn, id).await?) else {
        return Ok(());
    };
    drop(conn);
    let done = match ready(manager, id, &run, &waiting).await {
        Ok(()) => swap(manager, &row, &run, &waiting).await,
        refused => refused,
    };
    match done {
        Ok(()) => Ok(()),
        Err(Refusal::Db(error)) => Err(error),
        Err(refusal) => refuse(manager, &row, &run, &refusal.to_string()).await,
    }
}

/// Refuses if hooks or checks failed; a forced activation skips the checks, and no failed hook prevents it.
async fn ready(manager: &Manager, id: AppServerId, run: &HookRunRow, waiting: &Waiting) -> Result<(), Refusal> {
    if waiting.is_forced {
        return Ok(());
    }
    match &run.failure {
        Some(why) => Err(Refusal::Conflict(format!("Its hook before traffic failed: {why}"))),
        None => prove(manager, id, traffic::PATIENCE).await,
    }
}

async fn swap(manager: &Manager, row: &AppServerRow, run: &HookRunRow, waiting: &Waiting) -> Result<(), Refusal> {
    let missing = Refusal::NotFound { what: "instance", id: row.instance_id.0 };
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let instance = instances::lock(conn, row.instance_id).await?.ok_or(missing)?;
        if !hook_runs::settle(conn, run.id, run.failure.as_deref()).await? {
            return Ok(());
        }
        if instance.active_app_server_id == Some(row.id) {
            return Ok(());
        }
        may_go_on(&instance, row.id, waiting)?;
        let switch = Switch {
            app_server: row.id,
            kind: waiting.kind,
            is_forced: waiting.is_forced,
            drain_limit_seconds: waiting.drain_limit_seconds,
            reason: waiting.reason.as_deref(),
            has_run_hooks: true,
        };
        switch::write(manager, conn, &waiting.by, &instance, &switch).await?;
        Ok(())
    })
    .await
}

/// Refuses if a change of the instance since the request prevents the activation.
fn may_go_on(instance: &InstanceRow, id: AppServerId, waiting: &Waiting) -> Result<(), Refusal> {
    match waiting.kind {
        ActivationKind::Automatic => match when_running::obstacle(instance, id) {
            Some(why) => Err(Refusal::Conflict(why)),
            None => Ok(()),
        },
        ActivationKind::Manual | ActivationKind::Rollback => {
            may_have_traffic(instance)?;
            let before = instance.active_app_server_id;
            if before == waiting.replaces { Ok(()) } else { Err(Refusal::Conflict(swapped(waiting.replaces, before))) }
        }
    }
}

/// Records why it was not activated. Its hooks after traffic end what its hooks before traffic began.
async fn refuse(manager: &Manager, row: &AppServerRow, run: &HookRunRow, why: &str) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        instances::lock(conn, row.instance_id).await?;
        if !hook_runs::settle(conn, run.id, Some(why)).await? {
            return Ok(());
        }
        if run.run > 0
            && row.has_hooks_at(Moment::AfterTraffic)?
            && hook_runs::request(conn, row.id, Moment::AfterTraffic, None).await?
        {
            RunHooks::enqueue(conn, row.id).await?;
        }
        Journal::of_consequence()
            .app_server(row.instance_id, row.id)
            .event(EventKind::AppServerUpdated)
            .line_in_both_logs(Line::warning(format!("{} was not activated: {why}", row.name)))
            .write(conn)
            .await
    })
    .await
}
