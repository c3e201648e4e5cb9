//! Asks an app server's application whether it works: over HTTP, at its own address, with the Host header visitors send.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::future::join_all;
use shared_types::app_server::{Check, Checks};
use shared_types::{AppServerId, EventKind};

use super::application::CheckSpec;
use super::store::{app_servers, checks, instances};
use super::{Manager, Refusal};
use crate::db::DbError;
use crate::{events, servers};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client that asks: follows nothing, keeps nothing.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
}

/// Makes the checks of an app server now and keeps them.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when its machine has no address.
pub async fn check(manager: &Manager, id: AppServerId) -> Result<Checks, Refusal> {
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
    let specs = manager.application(&instance.instance_type)?.checks(&row.settings)?;
    let items = join_all(specs.iter().map(|spec| ask(&manager.http, address, spec))).await;
    let made = Checks { items };
    keep(manager, &row, &made).await?;
    Ok(made)
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

async fn ask(http: &reqwest::Client, address: SocketAddr, spec: &CheckSpec) -> Check {
    let began = Instant::now();
    let answer =
        http.get(format!("http://{address}{}", spec.path)).header(reqwest::header::HOST, &spec.hostname).send().await;
    let took = began.elapsed().as_millis();
    let (is_ok, detail) = match answer {
        Ok(answer) => (answer.status() == 200, format!("{} in {took} ms", answer.status().as_u16())),
        Err(error) if error.is_timeout() => (false, format!("no answer within {} s", PATIENCE.as_secs())),
        Err(error) if error.is_connect() => (false, "no connection: nothing listens there, or it refuses".to_owned()),
        Err(error) => (false, error.without_url().to_string()),
    };
    Check { name: spec.name.clone(), is_ok, detail, checked_at: Utc::now() }
}
