//! The periodic work on names. Several processes may sweep at once: each takes other names.

use futures::{FutureExt as _, StreamExt as _, stream};

use super::tend::tend;
use crate::instances::Manager;
use crate::instances::store::names as store;
use crate::platform::db::DbError;

/// How many names one round takes.
const BATCH: i64 = 40;
/// How many names are worked on at once.
const AT_ONCE: usize = 8;

/// Follows the host names of instances, and works on those that are due. Nothing is done while the settings do not say where
/// names point.
///
/// # Errors
/// [`DbError`] when the database does not answer. Errors of the DNS are kept with the name.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    if manager.names.target.is_none() {
        return Ok(());
    }
    let mut conn = manager.db.conn().await?;
    store::follow(&mut conn).await?;
    let due = store::claim(&mut conn, BATCH).await?;
    drop(conn);
    if due.is_empty() {
        return Ok(());
    }
    let installation = manager.db.installation().await?;
    let work: Vec<_> = due.iter().map(|name| tend(manager, &installation, name).boxed()).collect();
    let done: Vec<_> = stream::iter(work).buffer_unordered(AT_ONCE).collect().await;
    done.into_iter().collect()
}
