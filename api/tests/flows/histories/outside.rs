//! What one of the two instances has outside its machines, in random histories: a server that refuses, does not answer or whose
//! answer is lost, strangers there, new passwords, purges.

use std::collections::BTreeSet;

use ocim::resources::names;
use ocim::resources::providers::fake::{FakeCall, FakeServer};
use ocim::resources::server::ServerError;
use proptest::prelude::*;
use serde_json::json;
use shared_types::{ResourceKind, Role};

use crate::app::TestApp;

/// What happens to the server, or to what an instance has there.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outside {
    /// The server refuses the next change.
    Refuses,
    /// The server makes the next change, and its answer is lost.
    LosesAnswer,
    /// The sweep runs while the server does not answer.
    SweepWhileAway,
    Sweep,
    /// An administrator replaces the password.
    Rotate,
    /// An administrator purges the instance, which must be archived for it.
    Purge,
}

pub(super) fn outside() -> impl Strategy<Value = Outside> {
    prop_oneof![
        2 => Just(Outside::Refuses),
        2 => Just(Outside::LosesAnswer),
        1 => Just(Outside::SweepWhileAway),
        3 => Just(Outside::Sweep),
        1 => Just(Outside::Rotate),
        2 => Just(Outside::Purge),
    ]
}

/// States of the table that must never occur, and queries for rows in them.
pub(super) const NEVER: &[(&str, &str)] = &[
    ("a password of something deleted", "FROM resources WHERE state = 'deleted' AND secret <> '{}'"),
    (
        "a running app server whose databases were not confirmed",
        "FROM app_servers AS a, jsonb_array_elements(a.resources) AS u JOIN resources AS r ON r.id = (u ->> 'id')::bigint \
         WHERE a.status = 'running' AND r.state IN ('wanted', 'creating', 'failed')",
    ),
    (
        "a database without an account",
        "FROM resources AS d WHERE d.part = 'database' AND d.state IN ('creating', 'present') AND NOT EXISTS (\
         SELECT 1 FROM resources AS a WHERE a.instance_id = d.instance_id AND a.kind = d.kind AND a.part = 'account' \
         AND a.state IN ('creating', 'present', 'deleting'))",
    ),
];

/// More sweeps than a history can ask for failures.
const SWEEPS: usize = 50;

/// Does it to the instance.
pub(super) async fn play(app: &TestApp, server: &FakeServer, instance: i64, what: Outside) -> Result<(), String> {
    let administrator = app.person(Role::Admin).await;
    let path = format!("/api/v1/instances/{instance}");
    match what {
        Outside::Refuses => server.next_call(FakeCall::Fails(ServerError::Refused("no grant option".to_owned()))),
        Outside::LosesAnswer => server.next_call(FakeCall::AnswerLost),
        Outside::SweepWhileAway => {
            server.set_away(true);
            let swept = sweep(app).await;
            server.set_away(false);
            swept?;
        }
        Outside::Sweep => sweep(app).await?,
        Outside::Rotate => {
            let answer =
                administrator.post(&format!("{path}/resources/mysql/rotate"), json!({ "cuts_off": true })).await;
            if answer.status.is_server_error() {
                return Err(answer.body.to_string());
            }
        }
        Outside::Purge => {
            let domain = app.read_instance(instance).await["domain"].clone();
            let answer = administrator.post(&format!("{path}/purge"), json!({ "confirm": domain })).await;
            if answer.status.is_server_error() {
                return Err(answer.body.to_string());
            }
        }
    }
    Ok(())
}

/// Does what is due of resources, also what was postponed.
pub(super) async fn sweep(app: &TestApp) -> Result<(), String> {
    app.execute("UPDATE resources SET next_try = NULL WHERE next_try IS NOT NULL").await;
    app.manager.works().sweep().await.map_err(|error| error.to_string())
}

/// Everything at the server has a row, everything that was confirmed is there, and strangers have what they had.
pub(super) async fn check(app: &TestApp, server: &FakeServer, strangers: &[String]) -> Result<(), String> {
    let installation = app.manager.db.installation().await.map_err(|error| error.to_string())?;
    let there: BTreeSet<String> = server.databases().into_keys().chain(server.accounts().into_keys()).collect();
    if let Some(gone) = strangers.iter().find(|name| !there.contains(*name)) {
        return Err(format!("the stranger's {gone} is gone"));
    }
    for name in there.iter().filter(|name| names::is_ours(ResourceKind::Mysql, &installation, name)) {
        let row = format!(
            "SELECT count(*) AS n FROM resources WHERE remote_name = '{name}' AND state NOT IN ('wanted', 'deleted')"
        );
        if app.number(&row).await != 1 {
            return Err(format!("{name} is at the server and has no row"));
        }
    }
    let list = there.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(",");
    let missing = format!(
        "SELECT count(*) AS n FROM resources WHERE class = 'made' AND state = 'present' AND remote_name NOT IN ('', {list})"
    );
    match app.number(&missing).await {
        0 => Ok(()),
        _ => Err("something was confirmed and is not at the server".to_owned()),
    }
}

/// Sweeps until nothing that was to be deleted is left, and each account has its stored password: failures that a move asked for
/// may come first.
pub(super) async fn settle(app: &TestApp) -> Result<(), String> {
    for _ in 0..SWEEPS {
        sweep(app).await?;
        if app.number("SELECT count(*) AS n FROM resources WHERE state = 'deleting' OR password_due").await == 0 {
            return Ok(());
        }
    }
    Err("a deletion or a new password is still due".to_owned())
}
