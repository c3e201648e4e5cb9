//! Sweeps for work whose job was lost: deletions of machines, activations and hooks that are due.

use crate::instances::Manager;
use crate::instances::jobs::{ActivateAfterHooks, ActivateWhenRunning, RunHooks, TerminateMachine};
use crate::instances::store::{builds, hook_runs};
use crate::machines;
use crate::platform::db::DbError;

/// The maximum number of machines that one sweep enqueues jobs for; the next sweep continues.
const TERMINATIONS_A_SWEEP: i64 = 50;

/// Enqueues jobs for machines that are to be deleted, app servers that are to be activated, and hooks that are due.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    for id in machines::store::to_terminate(&mut conn, TERMINATIONS_A_SWEEP).await? {
        TerminateMachine::enqueue(&mut conn, id).await?;
    }
    for id in builds::to_activate(&mut conn).await? {
        ActivateWhenRunning::enqueue(&mut conn, id).await?;
    }
    for id in hook_runs::unattended(&mut conn).await? {
        RunHooks::enqueue(&mut conn, id).await?;
    }
    for id in hook_runs::to_settle(&mut conn).await? {
        ActivateAfterHooks::enqueue(&mut conn, id).await?;
    }
    Ok(())
}
