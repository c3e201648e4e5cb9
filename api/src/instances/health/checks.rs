//! Asks an app server's application whether it works: over HTTP, from the gateway's side, as a visitor would.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::future::join_all;
use shared_types::app_server::{Check, Checks};
use shared_types::{AppServerId, EventKind, ServerStatus};

use super::Found;
use super::record::{self, Look};
use crate::instances::application::CheckSpec;
use crate::instances::store::{app_servers, checks, instances};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::platform::db::DbError;
use crate::platform::events;
use crate::routing::traffic::{Answer, AskError, Question, Traffic};

/// The detail of each check of a machine that is gone.
const GONE: &str = "its machine is gone";

/// Checks an app server now and stores the results. Each check has its own timeout.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] when its machine has no address, or is gone and it is not active.
pub async fn check(manager: &Manager, id: AppServerId) -> Result<Checks, Refusal> {
    check_within(manager, id, Duration::MAX).await
}

/// Like [`check`], with a limit for each answer. Results of an active app server count for its instance's health.
///
/// # Errors
/// As [`check`].
pub async fn check_within(manager: &Manager, id: AppServerId, patience: Duration) -> Result<Checks, Refusal> {
    let mut conn = manager.db.conn().await?;
    let row = app_servers::find(&mut conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    let instance = instances::find(&mut conn, row.instance_id)
        .await?
        .ok_or_else(|| DbError::Corrupt(format!("instance {} is missing", row.instance_id)))?;
    let server = machines::store::find(&mut conn, row.server_id).await?;
    drop(conn);
    let (application, settings) = manager.current(&row.instance_type, row.settings_version, row.settings.hidden())?;
    let specs = application.checks(&settings)?;
    let is_active = instance.active_app_server_id == Some(id);
    let is_gone = server.as_ref().is_some_and(|server| server.status == ServerStatus::Terminated);
    let (found, made) = if is_gone && is_active {
        gone(&specs)
    } else if is_gone {
        let words = format!("App server {id} is {}; its machine is gone and cannot be checked.", row.status.as_str());
        return Err(Refusal::Conflict(words));
    } else {
        let address: SocketAddr = server
            .and_then(|server| server.http_address)
            .and_then(|address| address.parse().ok())
            .ok_or_else(|| {
                Refusal::Conflict(format!(
                    "App server {id} is {}; its machine must have an address to be checked.",
                    row.status.as_str()
                ))
            })?;
        ask(manager.traffic.as_ref(), address, &specs, patience).await
    };
    keep(manager, &row, &made).await?;
    if is_active {
        let look = Look { instance: row.instance_id, app_server: id, found, made: made.clone(), at: Utc::now() };
        record::record(manager, &[look]).await?;
    }
    Ok(made)
}

async fn keep(manager: &Manager, row: &app_servers::AppServerRow, made: &Checks) -> Result<(), Refusal> {
    use diesel_async::AsyncConnection;
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        checks::keep(conn, &[(row.id, made)]).await?;
        events::record(conn, EventKind::ChecksMade, events::About::app_server(row.instance_id, row.id)).await
    })
    .await?;
    Ok(())
}

/// Checks all sites at once; each answer may take its check's timeout, and `patience` at most. If a check could not be
/// made, the result is [`Found::NotAsked`].
pub(in crate::instances) async fn ask(
    traffic: &dyn Traffic,
    address: SocketAddr,
    specs: &[CheckSpec],
    patience: Duration,
) -> (Found, Checks) {
    let asked = join_all(specs.iter().map(|spec| ask_one(traffic, address, spec, patience))).await;
    let was_asked = asked.iter().all(|(was_asked, _)| *was_asked);
    let items: Vec<Check> = asked.into_iter().map(|(_, check)| check).collect();
    let found = if was_asked && !items.is_empty() {
        Found::Answers(items.iter().map(|check| (check.name.clone(), check.is_ok)).collect())
    } else {
        Found::NotAsked
    };
    (found, Checks { items })
}

/// The results for a machine that is gone. It is not asked: its address may belong to another machine by now.
pub(in crate::instances) fn gone(specs: &[CheckSpec]) -> (Found, Checks) {
    let check = |spec: &CheckSpec| Check {
        name: spec.name.clone(),
        is_ok: false,
        detail: GONE.to_owned(),
        checked_at: Utc::now(),
    };
    let names = specs.iter().map(|spec| spec.name.clone()).collect();
    (Found::MachineGone(names), Checks { items: specs.iter().map(check).collect() })
}

async fn ask_one(traffic: &dyn Traffic, address: SocketAddr, spec: &CheckSpec, patience: Duration) -> (bool, Check) {
    let began = Instant::now();
    let patience = patience.min(spec.timeout);
    let question = Question { hostname: &spec.hostname, path: &spec.path, text: spec.text.as_deref(), patience };
    let answer = tokio::time::timeout(patience, traffic.ask(address, &question)).await;
    let took = began.elapsed().as_millis();
    let (was_asked, is_ok, detail) = match answer {
        Ok(Ok(Answer { status, has_text: false })) if spec.accepts(status) => (
            true,
            false,
            format!("{status} in {took} ms, without the text “{}”", spec.text.as_deref().unwrap_or_default()),
        ),
        Ok(Ok(Answer { status, has_text: _ })) => (true, spec.accepts(status), format!("{status} in {took} ms")),
        Ok(Err(AskError::NoAnswer(words))) => (true, false, words),
        Ok(Err(AskError::NotAsked(words))) => (false, false, words),
        Err(_) => (true, false, format!("no answer within {} s", patience.as_secs())),
    };
    (was_asked, Check { name: spec.name.clone(), is_ok, detail, checked_at: Utc::now() })
}
