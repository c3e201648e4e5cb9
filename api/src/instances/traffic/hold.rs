//! A hold: automation continues to build but activates nothing, until a user lifts it.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::{EventKind, InstanceId};

use crate::instances::store::instances;
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::origin::Actor;
use crate::platform::{audit, events, logs};

/// Sets the hold. Set already: success; its user and reason stay as they are.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn hold(manager: &Manager, actor: &Actor, id: InstanceId, reason: Option<String>) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if !set(conn, actor, id, reason.as_deref()).await? {
            return Ok(());
        }
        let entry = audit::Entry::new(actor, Operation::HoldInstance).instance(id).reason(reason.as_deref());
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

/// Lifts the hold. None is set: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn lift(manager: &Manager, actor: &Actor, id: InstanceId) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if !instances::lift_hold(conn, id).await? {
            return Ok(());
        }
        events::record(conn, EventKind::InstanceUpdated, events::About::instance(id)).await?;
        let line = logs::Line::info(format!("{actor} lifted the hold: automation activates again"));
        logs::append(conn, logs::About::Instance(id), &[line]).await?;
        let detail = json!({ "by": row.hold_by, "at": row.hold_at, "reason": row.hold_reason });
        let entry = audit::Entry::new(actor, Operation::LiftHold).instance(id).detail(detail);
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

/// Sets the hold in a transaction that has locked the instance; the audit entry is the caller's. False: one was set.
pub(in crate::instances) async fn set(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    reason: Option<&str>,
) -> Result<bool, DbError> {
    if !instances::hold(conn, id, actor, reason).await? {
        return Ok(false);
    }
    events::record(conn, EventKind::InstanceUpdated, events::About::instance(id)).await?;
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = logs::Line::info(format!("{actor} holds the instance; automation activates nothing{why}"));
    logs::append(conn, logs::About::Instance(id), &[line]).await?;
    Ok(true)
}
