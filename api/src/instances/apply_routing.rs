//! Tells the gateway what was decided, and writes down that it has it.

use diesel_async::AsyncConnection;
use shared_types::{EventKind, InstanceId};

use super::store::{activations, hostnames, instances};
use super::{Manager, Refusal};
use crate::db::DbError;
use crate::events;
use crate::routing::traffic::{Route, TrafficError};

/// Why the gateway does not have it.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// The gateway.
    #[error("the gateway does not take it: {0}")]
    Traffic(#[from] TrafficError),
    /// The rest.
    #[error(transparent)]
    Refusal(#[from] Refusal),
}

impl From<DbError> for RoutingError {
    fn from(error: DbError) -> Self {
        Self::Refusal(error.into())
    }
}

/// Sends an instance's visitors where its pointer says. May be repeated.
///
/// # Errors
/// When the gateway or the database does not answer.
pub async fn apply_routing(manager: &Manager, id: InstanceId) -> Result<(), RoutingError> {
    let _one_at_a_time = manager.telling_gateway.lock().await;
    let mut conn = manager.db.conn().await?;
    let targets = instances::targets(&mut conn, Some(id)).await?;
    let names = hostnames::of(&mut conn, Some(id)).await?;
    drop(conn);
    let Some((_, _, generation)) = targets.first() else {
        return Ok(());
    };
    manager.traffic.apply(&routes(&names, &targets)).await?;
    confirm(manager, id, *generation).await
}

/// Makes the gateway's whole table what the pointers say: at the start of either side, and now and then.
///
/// # Errors
/// When the gateway or the database does not answer.
pub async fn apply_all(manager: &Manager) -> Result<(), RoutingError> {
    let _one_at_a_time = manager.telling_gateway.lock().await;
    let mut conn = manager.db.conn().await?;
    let targets = instances::targets(&mut conn, None).await?;
    let names = hostnames::of(&mut conn, None).await?;
    drop(conn);
    manager.traffic.replace_all(&routes(&names, &targets)).await?;
    for (id, _, generation) in targets {
        confirm(manager, id, generation).await?;
    }
    Ok(())
}

fn routes(names: &[(String, InstanceId)], targets: &[(InstanceId, Option<String>, i64)]) -> Vec<Route> {
    let of: std::collections::HashMap<InstanceId, _> = targets
        .iter()
        .map(|(id, address, _)| (*id, address.as_ref().and_then(|address| address.parse().ok())))
        .collect();
    names
        .iter()
        .map(|(hostname, id)| Route { hostname: hostname.clone(), target: of.get(id).copied().flatten() })
        .collect()
}

async fn confirm(manager: &Manager, id: InstanceId, generation: i64) -> Result<(), RoutingError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if instances::routing_applied(conn, id, generation).await? {
            activations::applied(conn, id, generation).await?;
            events::record(conn, EventKind::RoutingApplied, events::About::instance(id)).await?;
        }
        Ok::<(), DbError>(())
    })
    .await?;
    Ok(())
}
