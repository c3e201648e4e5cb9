//! The gateways with an agent, and what does not serve as it was told.

use shared_types::gateway::{Gateway, GatewayState};
use tokio::time::timeout;

use super::checks::PATIENCE;
use crate::instances::Manager;
use crate::platform::db::DbError;
use crate::routing::store::gateways;

/// The gateways, by name.
pub(super) async fn states(manager: &Manager) -> Vec<Gateway> {
    let read = async { gateways::list(&mut *manager.db.conn().await?).await };
    // If the database does not answer, its own part says why.
    let read = timeout(PATIENCE, read).await.ok().and_then(|read: Result<_, DbError>| read.ok());
    read.map(|list| list.items).unwrap_or_default()
}

/// What is wrong with any of them, in words.
///
/// # Errors
/// The words, if anything is.
pub(super) fn all_serve(gateways: &[Gateway]) -> Result<(), String> {
    let words: Vec<_> = gateways.iter().filter_map(trouble).collect();
    if words.is_empty() { Ok(()) } else { Err(words.join("; ")) }
}

fn trouble(gateway: &Gateway) -> Option<String> {
    let name = &gateway.name;
    match gateway.state {
        GatewayState::Ready => None,
        GatewayState::New => Some(format!("the agent of {name} has never asked")),
        GatewayState::Late => Some(format!("{name} does not have all routes yet")),
        GatewayState::Failing => Some(format!("at {name}, {}", gateway.error.as_deref().unwrap_or("HAProxy fails"))),
        GatewayState::Silent => Some(format!("the agent of {name} has not asked for 15 s or more")),
    }
}
