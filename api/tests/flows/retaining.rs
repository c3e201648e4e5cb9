//! Which app servers keep their machines, for how long, and how the others are terminated.

use ocim::instances::traffic::{activate, apply_routing};
use ocim::instances::upkeep::retention;
use ocim::platform::origin::Actor;
use serde_json::{Value, json};
use shared_types::AppServerId;

use crate::app::{Setup, TestApp, until};

async fn activated(app: &TestApp, id: i64) {
    activate::activate(&app.manager, &Actor::User("test".to_owned()), AppServerId(id), activate::Request::default())
        .await
        .unwrap();
    apply_routing::apply_all(&app.manager).await.unwrap();
}

/// App servers with a scheduled termination.
async fn expiring(app: &TestApp) -> Vec<i64> {
    retention::mark(&app.manager).await.unwrap();
    let page = app.viewer().await.get("/api/v1/retention").await.expect(200);
    let mut ids: Vec<i64> =
        page["items"].as_array().unwrap().iter().map(|one| one["app_server_id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

async fn hours(app: &TestApp, id: i64) -> i64 {
    app.number(&format!(
        "SELECT (extract(epoch FROM terminates_at - unneeded_since) / 3600)::bigint AS n FROM app_server_retention \
         WHERE app_server_id = {id}"
    ))
    .await
}

const DRAINED: &str = "UPDATE activations SET drained_at = now()";

#[tokio::test]
async fn active_fallback_candidate_draining_and_pinned_ones_are_kept() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (a, b, c) = (app.running(instance).await, app.running(instance).await, app.running(instance).await);
    assert_eq!(expiring(&app).await, [a, b], "the newest could be activated next");
    activated(&app, a).await;
    assert_eq!(expiring(&app).await, [b], "what is needed again has no end");
    activated(&app, b).await;
    activated(&app, c).await;
    assert_eq!(expiring(&app).await, [] as [i64; 0], "requests still end at the first");
    app.execute(DRAINED).await;
    let d = app.running(instance).await;
    app.ansible.next_run_fails("role : task", "no");
    let e = app.built(instance).await["id"].as_i64().unwrap();
    let f = app.launched(instance).await;
    assert_eq!(expiring(&app).await, [a, d, e], "kept: {c} active, {b} fallback, {f} being built");
    app.operator().await.put(&format!("/api/v1/app-servers/{d}/pin"), json!({})).await.expect(200);
    assert_eq!(expiring(&app).await, [a, e]);
    app.end().await;
}

#[tokio::test]
async fn changing_the_retention_moves_the_termination() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let old = app.running(instance).await;
    app.running(instance).await;
    expiring(&app).await;
    assert_eq!(hours(&app, old).await, 48);
    let operator = app.operator().await;
    let path = format!("/api/v1/instances/{instance}");
    let etag = operator.get(&path).await.header("etag").to_owned();
    operator.patch(&path, &etag, json!({ "retention_hours": 2 })).await.expect(200);
    expiring(&app).await;
    assert_eq!(hours(&app, old).await, 2);
    app.end().await;
}

#[tokio::test]
async fn retention_terminates_app_servers_unless_they_are_needed_again() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (old, saved) = (app.running(instance).await, app.running(instance).await);
    app.running(instance).await;
    assert_eq!(expiring(&app).await, [old, saved]);
    let age = "UPDATE app_server_retention SET unneeded_since = unneeded_since - interval '49 hours', \
               terminates_at = terminates_at - interval '49 hours'";
    app.execute(age).await;
    activated(&app, saved).await;
    let (one, other) = tokio::join!(retention::sweep(&app.manager), retention::sweep(&app.manager));
    one.unwrap();
    other.unwrap();
    let ended = app.read_app_server(old).await;
    assert_eq!(ended["status"], "terminated");
    assert!(app.log_says(old, "retention terminates AppServer 1").await);
    assert!(app.log_says(old, "Not needed since").await);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'terminate_app_server' AND actor = 'retention'";
    assert_eq!(app.number(audited).await, 1);
    assert_eq!(app.read_app_server(saved).await["status"], "running");
    assert_eq!(app.number("SELECT count(*) AS n FROM servers WHERE termination_requested_at IS NOT NULL").await, 1);
    app.end().await;
}

#[tokio::test]
async fn retention_keeps_nothing_of_an_archived_instance() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    assert_eq!(expiring(&app).await, [] as [i64; 0]);
    app.execute("UPDATE instances SET archived_at = now(), archived_by = 'test'").await;
    assert_eq!(expiring(&app).await, [id]);
    app.end().await;
}

#[tokio::test]
async fn a_worker_schedules_and_performs_the_termination_after_a_switch() {
    let app =
        TestApp::with(Setup { options: |options| options.drain_limit = std::time::Duration::ZERO, ..Setup::default() })
            .await;
    let instance = app.instance("demo").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = app.running(instance).await;
        app.activate(id).await.expect(200);
        app.execute(DRAINED).await;
        ids.push(id);
    }
    // What the worker does after a switch; in this test the drain ended later.
    retention::mark(&app.manager).await.unwrap();
    assert!(app.read_app_server(ids[0]).await["terminates_at"].is_string());
    app.execute(
        "UPDATE app_server_retention SET unneeded_since = unneeded_since - interval '3 days', \
         terminates_at = terminates_at - interval '3 days'",
    )
    .await;
    retention::sweep(&app.manager).await.unwrap();
    until("the machine is gone", async || app.read_app_server(ids[0]).await["server"]["status"] == "terminated").await;
    assert_eq!(app.provider.machines().len(), 2);
    assert_eq!(app.read_app_server(ids[0]).await["terminates_at"], Value::Null);
    app.end().await;
}
