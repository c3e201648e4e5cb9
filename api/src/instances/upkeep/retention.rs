//! How long unneeded machines are kept. Needed are the active app server, the fallback, the newest that could be
//! activated next, those that drain, and those that a user pinned; for the others the end is recorded, and visible,
//! long before it comes.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::{AppServerId, EventKind, ServerStatus};

use crate::instances::builds::terminate;
use crate::instances::journal::Journal;
use crate::instances::store::{app_servers, instances, retention as store};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::platform::db::DbError;
use crate::platform::events;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// The actor of terminations after the retention has ended.
const ACTOR: &Actor = &Actor::Retention;
/// Most terminations that one sweep requests; the next requests more.
const ENDED_A_SWEEP: i64 = 100;

/// Records which app servers are needed, and requests the termination of machines whose retention has ended.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    mark(manager).await?;
    let due = store::due(&mut *manager.db.conn().await?, ENDED_A_SWEEP).await?;
    for id in due {
        end(manager, id).await?;
    }
    Ok(())
}

/// Records which app servers are needed and which are not.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn mark(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let changed = store::mark(conn, manager.options.retention_hours).await?;
        let about: Vec<_> = changed.into_iter().map(|(instance, id)| events::About::app_server(instance, id)).collect();
        events::record_all(conn, EventKind::AppServerUpdated, &about).await
    })
    .await
}

/// Requests the termination of an app server's machine, if it is still not needed.
async fn end(manager: &Manager, id: AppServerId) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let Some(row) = app_servers::find(conn, id).await? else { return Ok(()) };
        instances::lock(conn, row.instance_id).await?;
        let Some(since) = store::is_due(conn, id, manager.options.retention_hours).await? else { return Ok(()) };
        if !terminate::request_end(conn, &row, row.status, ACTOR).await? {
            return Ok(());
        }
        store::forget(conn, id).await?;
        let words = format!("Not needed since {}", since.format("%Y-%m-%d %H:%M UTC"));
        Journal::of(ACTOR, Operation::TerminateAppServer)
            .app_server(row.instance_id, id)
            .line(Line::info(words.clone()))
            .detail(json!({ "status": row.status }))
            .reason(Some(&words))
            .write(conn)
            .await
    })
    .await
}

/// Pins an app server until [`unpin`]. Pinned already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when the termination of its machine was requested.
pub async fn pin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: AppServerId,
    reason: Option<String>,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = locked(conn, id).await?;
        let server = machines::store::find(conn, row.server_id).await?;
        let is_ending =
            server.is_none_or(|one| one.termination_requested_at.is_some() || one.status == ServerStatus::Terminated);
        if is_ending {
            return Err(Refusal::Conflict(format!(
                "App server {id} is {} and the end of its machine was decided; it must have a machine to be pinned. \
                 Launch another one.",
                row.status.as_str()
            )));
        }
        if !store::pin(conn, id, actor, reason.as_deref()).await? {
            return Ok(());
        }
        let why = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let journal = Journal::of(actor, Operation::PinAppServer)
            .app_server(row.instance_id, id)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(format!("{actor} keeps {}{why}", row.name)))
            .reason(reason.as_deref());
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Unpins an app server, so that retention applies again. Not pinned: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn unpin(conn: &mut AsyncPgConnection, actor: &Actor, id: AppServerId) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = locked(conn, id).await?;
        if !store::unpin(conn, id).await? {
            return Ok(());
        }
        let journal = Journal::of(actor, Operation::UnpinAppServer)
            .app_server(row.instance_id, id)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(format!("{actor} does not keep {} any more", row.name)));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// An app server whose instance is locked until the transaction ends.
async fn locked(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<app_servers::AppServerRow, Refusal> {
    let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    instances::lock(conn, row.instance_id).await?;
    Ok(row)
}
