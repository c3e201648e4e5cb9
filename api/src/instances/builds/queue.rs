//! Pauses the queue of builds and lets it go on. What is under way goes on in either case.

use diesel_async::AsyncConnection;
use shared_types::EventKind;

use crate::instances::jobs::DispatchBuilds;
use crate::instances::store::queue;
use crate::instances::{Manager, Refusal};
use crate::platform::{audit, events};

/// Nothing queued begins from now on. Paused already: success.
///
/// # Errors
/// When the database does not answer.
pub async fn pause(manager: &Manager, actor: &str, reason: Option<String>) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if !queue::pause(conn, actor, reason.as_deref()).await? {
            return Ok(());
        }
        events::record(conn, EventKind::QueueChanged, events::About::default()).await?;
        let entry = audit::Entry::new(actor, "pause_queue").reason(reason.as_deref());
        Ok(audit::record(conn, entry).await?)
    })
    .await
}

/// What is queued begins again. Not paused: success.
///
/// # Errors
/// When the database does not answer.
pub async fn resume(manager: &Manager, actor: &str) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if !queue::resume(conn).await? {
            return Ok(());
        }
        DispatchBuilds::enqueue(conn).await?;
        events::record(conn, EventKind::QueueChanged, events::About::default()).await?;
        let entry = audit::Entry::new(actor, "resume_queue");
        Ok(audit::record(conn, entry).await?)
    })
    .await
}
