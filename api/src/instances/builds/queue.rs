//! Pauses and resumes the build queue. Running builds continue in either case.

use diesel_async::AsyncConnection;
use shared_types::EventKind;
use shared_types::audit::Operation;

use crate::instances::jobs::DispatchBuilds;
use crate::instances::store::queue;
use crate::instances::{Manager, Refusal};
use crate::platform::origin::Actor;
use crate::platform::{audit, events};

/// Begins no queued build from now on. Already paused: success.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn pause(manager: &Manager, actor: &Actor, reason: Option<String>) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if !queue::pause(conn, actor, reason.as_deref()).await? {
            return Ok(());
        }
        events::record(conn, EventKind::QueueChanged, events::About::default()).await?;
        let entry = audit::Entry::new(actor, Operation::PauseQueue).reason(reason.as_deref());
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

/// Begins queued builds again. Not paused: success.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn resume(manager: &Manager, actor: &Actor) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if !queue::resume(conn).await? {
            return Ok(());
        }
        DispatchBuilds::enqueue(conn).await?;
        events::record(conn, EventKind::QueueChanged, events::About::default()).await?;
        let entry = audit::Entry::new(actor, Operation::ResumeQueue);
        Ok(audit::record(conn, entry).await?)
    })
    .await
}
