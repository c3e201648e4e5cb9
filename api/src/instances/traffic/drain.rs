//! After a switch, running requests end at the replaced app server. It drains until there are none, or until its limit
//! has passed; no request is cut off.

use std::net::SocketAddr;

use diesel_async::AsyncConnection;
use shared_types::EventKind;
use shared_types::hook::Moment;

use crate::instances::Manager;
use crate::instances::jobs::RunHooks;
use crate::instances::store::activations::{self, Draining};
use crate::instances::store::hook_runs;
use crate::platform::db::DbError;
use crate::platform::events;

/// Ends the drains that are over; called every second by a process that updates the gateway. One query if none drains.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let draining = activations::draining(&mut conn).await?;
    drop(conn);
    for one in draining {
        if is_over(manager, &one).await {
            end(manager, &one).await?;
        }
    }
    Ok(())
}

async fn is_over(manager: &Manager, one: &Draining) -> bool {
    let target: Option<SocketAddr> = one.http_address.as_ref().and_then(|address| address.parse().ok());
    let (false, Some(target)) = (one.is_too_late, target) else {
        return true;
    };
    match manager.traffic.open_connections(target).await {
        Ok(count) => count == 0,
        // If the gateway cannot tell, the limit ends the drain.
        Err(error) => {
            tracing::debug!(app_server = %one.app_server_id, %error, "the gateway does not say what is under way");
            false
        }
    }
}

async fn end(manager: &Manager, one: &Draining) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        if activations::drained(conn, one.id).await? {
            if one.has_hooks && hook_runs::request(conn, one.app_server_id, Moment::AfterTraffic, None).await? {
                RunHooks::enqueue(conn, one.app_server_id).await?;
            }
            let about = events::About::app_server(one.instance_id, one.app_server_id);
            events::record(conn, EventKind::AppServerUpdated, about).await?;
        }
        Ok(())
    })
    .await
}
