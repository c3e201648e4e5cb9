//! Asks an app server's application whether it works: over HTTP, from the gateway's side, as a visitor would.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::StreamExt;
use futures::future::join_all;
use shared_types::app_server::{Check, Checks};
use shared_types::{AppServerId, EventKind};

use super::application::CheckSpec;
use super::store::{app_servers, checks, instances};
use super::{Manager, Refusal};
use crate::db::DbError;
use crate::routing::traffic::{self, Traffic};
use crate::{events, servers};

/// How many app servers are asked at once when all active ones are.
const AT_ONCE: usize = 16;

/// Makes the checks of an app server now and keeps them. An answer may take [`traffic::PATIENCE`].
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when its machine has no address.
pub async fn check(manager: &Manager, id: AppServerId) -> Result<Checks, Refusal> {
    check_within(manager, id, traffic::PATIENCE).await
}

/// The same, but an answer may take only so long.
///
/// # Errors
/// As [`check`].
pub async fn check_within(manager: &Manager, id: AppServerId, patience: Duration) -> Result<Checks, Refusal> {
    let mut conn = manager.db.conn().await?;
    let row = app_servers::find(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    let instance = instances::find(&mut conn, row.instance_id)
        .await?
        .ok_or_else(|| DbError::Corrupt(format!("instance {} is missing", row.instance_id)))?;
    let server = servers::store::find(&mut conn, row.server_id).await?;
    drop(conn);
    let address: SocketAddr =
        server.and_then(|server| server.http_address).and_then(|address| address.parse().ok()).ok_or_else(|| {
            Refusal::Conflict(format!(
                "App server {id} is {}; its machine must have an address to be checked.",
                row.status.as_str()
            ))
        })?;
    let specs = manager.application(&instance.instance_type)?.checks(&row.settings.hidden())?;
    let asked = specs.iter().map(|spec| ask(manager.traffic.as_ref(), address, spec, patience));
    let made = Checks { items: join_all(asked).await };
    keep(manager, &row, &made).await?;
    Ok(made)
}

/// Makes the checks of every active app server, a few at once. One that cannot be checked stops no other.
///
/// # Errors
/// When the database does not answer.
pub async fn check_active(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let active = instances::active(&mut conn).await?;
    drop(conn);
    futures::stream::iter(active)
        .for_each_concurrent(AT_ONCE, async |id| {
            if let Err(error) = check(manager, id).await {
                tracing::warn!(app_server = %id, %error, "an active app server could not be checked");
            }
        })
        .await;
    Ok(())
}

async fn keep(manager: &Manager, row: &app_servers::AppServerRow, made: &Checks) -> Result<(), Refusal> {
    use diesel_async::AsyncConnection;
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        checks::keep(conn, row.id, made).await?;
        events::record(conn, EventKind::ChecksMade, events::About::app_server(row.instance_id, row.id)).await
    })
    .await?;
    Ok(())
}

async fn ask(traffic: &dyn Traffic, address: SocketAddr, spec: &CheckSpec, patience: Duration) -> Check {
    let began = Instant::now();
    let answer = tokio::time::timeout(patience, traffic.ask(address, &spec.hostname, &spec.path)).await;
    let took = began.elapsed().as_millis();
    let (is_ok, detail) = match answer {
        Ok(Ok(status)) => (status == 200, format!("{status} in {took} ms")),
        Ok(Err(words)) => (false, words),
        Err(_) => (false, format!("no answer within {} s", patience.as_secs())),
    };
    Check { name: spec.name.clone(), is_ok, detail, checked_at: Utc::now() }
}
