//! A hold: automation continues to build but activates nothing, until a user lifts it.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::{EventKind, InstanceId};

use crate::instances::Refusal;
use crate::instances::journal::Journal;
use crate::instances::store::instances;
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Sets the hold. Set already: success; its user and reason stay as they are.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn hold(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    reason: Option<String>,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        let reason = reason.as_deref();
        let journal = Journal::of(actor, Operation::HoldInstance).reason(reason);
        set(conn, actor, id, reason, journal).await?;
        Ok(())
    })
    .await
}

/// Lifts the hold. None is set: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn lift(conn: &mut AsyncPgConnection, actor: &Actor, id: InstanceId) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if !instances::lift_hold(conn, id).await? {
            return Ok(());
        }
        let journal = Journal::of(actor, Operation::LiftHold)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("{actor} lifted the hold: automation activates again")))
            .detail(json!({ "by": row.hold_by, "at": row.hold_at, "reason": row.hold_reason }));
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Sets the hold in a transaction that has locked the instance, and writes the verb's journal with it. False: one was
/// set, and nothing is written.
pub(in crate::instances) async fn set(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    reason: Option<&str>,
    journal: Journal<'_>,
) -> Result<bool, DbError> {
    if !instances::hold(conn, id, actor, reason).await? {
        return Ok(false);
    }
    let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    let line = Line::info(format!("{actor} holds the instance; automation activates nothing{why}"));
    journal.instance(id).event(EventKind::InstanceUpdated).line(line).write(conn).await?;
    Ok(true)
}
