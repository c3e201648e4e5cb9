//! Pauses and resumes the build queue. Running builds continue in either case.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::EventKind;
use shared_types::audit::Operation;

use crate::instances::Refusal;
use crate::instances::jobs::DispatchBuilds;
use crate::instances::journal::Journal;
use crate::instances::store::queue;
use crate::platform::origin::Actor;

/// Begins no queued build from now on. Already paused: success.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn pause(conn: &mut AsyncPgConnection, actor: &Actor, reason: Option<String>) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        if !queue::pause(conn, actor, reason.as_deref()).await? {
            return Ok(());
        }
        let journal = Journal::of(actor, Operation::PauseQueue).event(EventKind::QueueChanged);
        Ok(journal.reason(reason.as_deref()).write(conn).await?)
    })
    .await
}

/// Begins queued builds again. Not paused: success.
///
/// # Errors
/// [`Refusal::Db`] when the database does not answer.
pub async fn resume(conn: &mut AsyncPgConnection, actor: &Actor) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        if !queue::resume(conn).await? {
            return Ok(());
        }
        DispatchBuilds::enqueue(conn).await?;
        Ok(Journal::of(actor, Operation::ResumeQueue).event(EventKind::QueueChanged).write(conn).await?)
    })
    .await
}
