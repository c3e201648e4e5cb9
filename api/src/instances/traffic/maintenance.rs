//! The maintenance page: visitors of an instance get it from the gateway, and no app server gets their requests. App servers, checks
//! and builds go on.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::{EventKind, InstanceId};

use crate::instances::Refusal;
use crate::instances::jobs::ApplyRouting;
use crate::instances::journal::Journal;
use crate::instances::store::{instances, maintenance, migrating};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Puts the page up with this text, or replaces the text. The gateway is told by a job.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the instance is archived; [`Refusal::Db`] when a statement fails.
pub async fn begin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    text: &str,
    reason: Option<&str>,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if row.archived_at.is_some() {
            return Err(Refusal::Conflict(format!("Instance {id} is archived: it has no visitors.")));
        }
        maintenance::begin(conn, id, actor, text).await?;
        tell_gateway(conn, id).await?;
        let journal = Journal::of(actor, Operation::BeginMaintenance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .reason(reason)
            .line(Line::info(format!("{actor} put the maintenance page up: {text}")))
            .detail(json!({ "text": text }));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Takes the page down: visitors get the active app server again. There is none: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn end(conn: &mut AsyncPgConnection, actor: &Actor, id: InstanceId) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if !maintenance::end(conn, id).await? {
            return Ok(());
        }
        migrating::note_exposed(conn, id).await?;
        tell_gateway(conn, id).await?;
        let journal = Journal::of(actor, Operation::EndMaintenance)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("{actor} took the maintenance page down")))
            .detail(json!({ "by": row.maintenance_by, "at": row.maintenance_at }));
        Ok(journal.write(conn).await?)
    })
    .await
}

async fn tell_gateway(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    instances::want_routing(conn, id).await?;
    ApplyRouting::enqueue(conn, id).await?;
    Ok(())
}
