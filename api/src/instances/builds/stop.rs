//! Stops a build at any moment. The request is stored and the worker that holds the build is told; that worker ends
//! what runs here and on the machine, terminates the machine, and only then sets the status `stopped`.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::app_server::{Possible, can_stop};
use shared_types::audit::Operation;
use shared_types::{AppServerId, AppServerStatus, EventKind};

use crate::instances::Refusal;
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::journal::Journal;
use crate::instances::store::{app_servers, builds};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Requests a build's stop. Requested already, or stopped already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when the app server is not being built.
pub async fn stop(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: AppServerId,
    reason: Option<String>,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        // Under the build's lock: of stop and success, the first to commit wins.
        let status = builds::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        if status == AppServerStatus::Stopped {
            return Ok(());
        }
        if let Possible::No(why) = can_stop(status) {
            return Err(Refusal::Conflict(format!(
                "App server {id} is {}; it must be building to be stopped. {why}",
                status.as_str()
            )));
        }
        if !builds::request_stop(conn, id, actor, reason.as_deref()).await? {
            return Ok(());
        }
        let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        AdvanceAppServer::enqueue(conn, id).await?;
        let why = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let journal = Journal::of(actor, Operation::StopAppServer)
            .app_server(row.instance_id, id)
            .event(EventKind::AppServerStopRequested)
            .line(Line::warning(format!("{actor} stops the build{why}")))
            .detail(json!({ "status": status }))
            .reason(reason.as_deref());
        Ok(journal.write(conn).await?)
    })
    .await
}
