//! A check that is asked for.

use std::time::Duration;

use futures::future::join_all;
use shared_types::InstanceId;
use shared_types::dns::InstanceDns;

use super::tend::tend;
use super::view;
use crate::instances::store::{instances, names as store};
use crate::instances::{Manager, Refusal};

/// How long the caller waits. What is not checked by then is checked by the sweep.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks the names of an instance now, and writes or removes records as the sweep would.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when the database does not answer.
pub async fn check_now(manager: &Manager, id: InstanceId) -> Result<InstanceDns, Refusal> {
    let mut conn = manager.db.conn().await?;
    instances::find(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    if manager.names.target.is_some() {
        store::follow(&mut conn).await?;
        let due = store::claim_of(&mut conn, id).await?;
        drop(conn);
        let installation = manager.db.installation().await?;
        let work = join_all(due.iter().map(|name| tend(manager, &installation, name)));
        if let Ok(done) = tokio::time::timeout(PATIENCE, work).await {
            done.into_iter().collect::<Result<(), _>>()?;
        }
        conn = manager.db.conn().await?;
    }
    view::read(manager, &mut conn, id).await
}
