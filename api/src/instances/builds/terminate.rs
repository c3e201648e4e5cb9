//! Terminates the machine of an app server. The decision is made under the instance's lock, so that no app server that
//! has or is getting traffic loses its machine; a job then retries until the provider confirms that nothing is left.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::app_server::{Possible, can_terminate};
use shared_types::audit::Operation;
use shared_types::hook::Moment;
use shared_types::{AppServerId, AppServerStatus, ServerStatus};

use super::stop;
use crate::instances::jobs::{RunHooks, TerminateMachine};
use crate::instances::journal::Journal;
use crate::instances::preview_links;
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::{hook_runs, instances, summaries};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::machines::advance::MachineError;
use crate::machines::store::Owner;
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// How an app server is to be terminated.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Whether a running build is stopped first; otherwise a running build is a conflict.
    pub stop: bool,
    pub reason: Option<String>,
}

/// Requests that an app server's machine be terminated. Requested or terminated already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if it is active, draining, or being built and not to be stopped.
pub async fn terminate(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: AppServerId,
    request: Request,
) -> Result<(), Refusal> {
    let not_found = || Refusal::NotFound { what: "app server", id: id.0 };
    if request.stop && summaries::read(conn, id).await?.ok_or_else(not_found)?.status.is_building() {
        // Stopping also terminates the machine.
        return stop::stop(conn, actor, id, request.reason).await;
    }
    conn.transaction(async |conn| {
        let row = app_servers::find(conn, id).await?.ok_or_else(not_found)?;
        instances::lock(conn, row.instance_id).await?;
        let summary = summaries::read(conn, id).await?.ok_or_else(not_found)?;
        if let Possible::No(why) = can_terminate(summary.status, summary.serving) {
            return Err(Refusal::Conflict(format!("App server {id} is {}. {why}", state(&summary))));
        }
        if !request_end(conn, &row, summary.status, actor).await? {
            return Ok(());
        }
        // The event is that of the status, which may change later.
        let journal = Journal::of(actor, Operation::TerminateAppServer)
            .app_server(row.instance_id, id)
            .detail(json!({ "status": summary.status }))
            .reason(request.reason.as_deref());
        Ok(journal.write(conn).await?)
    })
    .await
}

/// `active and running`, or the status alone.
fn state(summary: &shared_types::AppServerSummary) -> String {
    use shared_types::Serving;
    match summary.serving {
        Serving::Active => format!("active and {}", summary.status.as_str()),
        Serving::Draining => format!("draining and {}", summary.status.as_str()),
        Serving::Idle | Serving::Fallback => summary.status.as_str().to_owned(),
    }
}

/// Records the decision, in a transaction that has locked the instance and allowed it. False: recorded before.
pub(in crate::instances) async fn request_end(
    conn: &mut AsyncPgConnection,
    row: &AppServerRow,
    status: AppServerStatus,
    by: &Actor,
) -> Result<bool, DbError> {
    if !machines::store::request_termination(conn, row.server_id, by).await? {
        return Ok(false);
    }
    // A terminated app server cannot be the fallback.
    instances::forget_fallback(conn, row.instance_id, row.id).await?;
    let line = Line::info(format!("{by} terminates {}", row.name));
    Journal::of_consequence().app_server(row.instance_id, row.id).line_in_both_logs(line).write(conn).await?;
    preview_links::revoke_all(conn, row).await?;
    if status == AppServerStatus::Running {
        app_servers::transition(conn, row, AppServerStatus::Terminated, None).await?;
    }
    TerminateMachine::enqueue(conn, row.id).await?;
    Ok(true)
}

/// Carries the decision out; idempotent. False: the gateway may still send visitors there, or hooks have not ended; the
/// caller tries again later.
///
/// # Errors
/// [`MachineError`] when the provider or the database does not answer.
pub async fn remove(manager: &Manager, id: AppServerId) -> Result<bool, MachineError> {
    let mut conn = manager.db.conn().await?;
    let Some(row) = app_servers::find(&mut conn, id).await? else {
        return Ok(true);
    };
    let server = machines::store::find(&mut conn, row.server_id).await?;
    let status = server.filter(|server| server.termination_requested_at.is_some()).map(|server| server.status);
    let is_to_end = status.is_some_and(|status| status != ServerStatus::Terminated);
    let instance = instances::find(&mut conn, row.instance_id).await?;
    drop(conn);
    if !is_to_end {
        return Ok(true);
    }
    if instance.is_some_and(|instance| instance.routing_applied_generation < instance.routing_generation) {
        return Ok(false);
    }
    let may_run = matches!(status, Some(ServerStatus::Ready | ServerStatus::Unknown));
    if may_run && waits_for_hooks(manager, &row).await? {
        return Ok(false);
    }
    manager.machines().terminate(Owner { instance: row.instance_id, app_server: id }, row.server_id).await?;
    Ok(true)
}

/// Whether hooks must end before the machine is terminated; makes the hooks before the end due if the app server ran.
/// No query if the app server has no hooks.
async fn waits_for_hooks(manager: &Manager, row: &AppServerRow) -> Result<bool, DbError> {
    let has_traffic = row.has_hooks_at(Moment::BeforeTraffic)? || row.has_hooks_at(Moment::AfterTraffic)?;
    let has_end = row.status == AppServerStatus::Terminated && row.has_hooks_at(Moment::BeforeEnd)?;
    if !has_traffic && !has_end {
        return Ok(false);
    }
    let mut conn = manager.db.conn().await?;
    if hook_runs::next(&mut conn, row.id).await?.is_some() {
        return Ok(true);
    }
    if !has_end || hook_runs::has_end(&mut conn, row.id).await? {
        return Ok(false);
    }
    conn.transaction(async |conn| {
        hook_runs::request(conn, row.id, Moment::BeforeEnd, None).await?;
        RunHooks::enqueue(conn, row.id).await
    })
    .await?;
    Ok(true)
}
