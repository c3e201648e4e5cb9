//! The second caller of jobs that were lost: ends of machines, activations and hooks that are due.

use crate::instances::Manager;
use crate::instances::jobs::{ActivateAfterHooks, ActivateWhenRunning, RunHooks, TerminateMachine};
use crate::instances::store::{builds, hook_runs};
use crate::machines;
use crate::platform::db::DbError;

/// How many ended machines one sweep writes jobs for; the next sweep takes more.
const TERMINATIONS_A_SWEEP: i64 = 50;

/// Writes the jobs of machines whose end was decided, of app servers that are to be activated, and of hooks.
///
/// # Errors
/// When a statement fails.
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
