//! Automation activates an app server once it runs, if asked to, and never overrides a person's decision.

use std::time::Duration;

use ocim::instances::traffic::when_running::when_running;
use ocim::worker::pending;
use serde_json::{Value, json};
use shared_types::AppServerId;

use crate::app::{GatedAnsible, Setup, TestApp, stories, until};

const WANTED: &str = "SELECT count(*) AS n FROM builds WHERE activate_when_running";

/// A running app server of an instance that automation has yet to activate.
async fn wanted(app: &TestApp, instance: i64) -> i64 {
    let id = app.launched(instance).await;
    let path = format!("/api/v1/app-servers/{id}/activate");
    let body = json!({ "when_running": true, "reason": "nightly", "drain_limit_seconds": 7 });
    let answer = app.operator().await.post(&path, body).await.expect(202);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["activate_when_running"]), (&json!(false), &json!(true)));
    app.builder().advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "running");
    id
}

/// The id of the active app server; null if there is none.
async fn active(app: &TestApp, instance: i64) -> Value {
    app.read_instance(instance).await["active_appserver"]["id"].clone()
}

/// Runs automation for an app server, whose health checks get no answer until `meanwhile` has ended.
async fn try_while(app: &TestApp, id: i64, site: usize, meanwhile: impl AsyncFnOnce()) {
    let asked = app.sites[site].asked().len();
    app.sites[site].set_held(true);
    let manager = app.manager.clone();
    let trying = tokio::spawn(async move { when_running(&manager, AppServerId(id)).await });
    until("the site is checked", async || app.sites[site].asked().len() > asked).await;
    meanwhile().await;
    app.sites[site].set_held(false);
    trying.await.unwrap().unwrap();
}

#[tokio::test]
async fn activation_when_running_is_attributed_to_the_requester() {
    let ansible = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(ansible.clone()), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    until("its playbook runs", async || ansible.running() == 1).await;
    let operator = app.operator().await;
    let path = format!("/api/v1/app-servers/{id}/activate");
    operator.post(&path, json!({ "when_running": true, "reason": "nightly" })).await.expect(202);
    operator.post(&path, json!({ "when_running": true })).await.expect(202);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'activate_app_server'";
    assert_eq!(app.number(audited).await, 1, "again is success and changes nothing");
    ansible.let_go(1);
    let answer = stories::activate(&operator, id, json!({ "when_running": true })).await.expect(200);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["serving"]), (&json!(true), &json!("active")));
    let last = app.viewer().await.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    let last = &last["items"][0];
    assert_eq!((&last["kind"], &last["reason"]), (&json!("automatic"), &json!("nightly")));
    assert!(last["activated_by"].as_str().unwrap().starts_with("operator-"), "{last}");
    assert_eq!(app.number(WANTED).await, 0);
    app.end().await;
}

#[tokio::test]
async fn a_hold_set_between_check_and_swap_stops_automatic_activation() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = wanted(&app, instance).await;
    let operator = app.operator().await;
    let hold = format!("/api/v1/instances/{instance}/hold");
    try_while(&app, id, 0, async || drop(operator.put(&hold, json!({})).await.expect(200))).await;
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (Value::Null, 0));
    assert!(app.log_says(id, "Not activated by itself: operator-").await);
    assert!(app.log_says(id, "holds the instance").await);
    // Releasing the hold does not activate it later; people may activate at any time.
    operator.delete(&hold).await.expect(200);
    when_running(&app.manager, AppServerId(id)).await.unwrap();
    assert_eq!(active(&app, instance).await, Value::Null);
    app.end().await;
}

#[tokio::test]
async fn automation_keeps_a_newer_app_server_activated_meanwhile() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let old = wanted(&app, instance).await;
    let new = app.running(instance).await;
    let operator = app.operator().await;
    let path = format!("/api/v1/app-servers/{new}/activate");
    try_while(&app, old, 0, async || drop(operator.post(&path, json!({})).await.expect(202))).await;
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (json!(new), 0));
    assert!(app.log_says(old, "Not activated by itself: the newer app server 2 is active").await);
    app.end().await;
}

#[tokio::test]
async fn automation_tries_again_if_an_older_app_server_was_activated_meanwhile() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let old = app.running(instance).await;
    let new = wanted(&app, instance).await;
    let operator = app.operator().await;
    let path = format!("/api/v1/app-servers/{old}/activate");
    try_while(&app, new, 1, async || drop(operator.post(&path, json!({})).await.expect(202))).await;
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (json!(old), 1), "not what was seen");
    when_running(&app.manager, AppServerId(new)).await.unwrap();
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (json!(new), 0));
    let limit = "SELECT drain_limit_seconds::bigint AS n FROM activations ORDER BY id DESC LIMIT 1";
    assert_eq!(app.number(limit).await, 7);
    app.end().await;
}

#[tokio::test]
async fn the_sweep_repeats_failing_checks_of_automatic_activations() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = wanted(&app, instance).await;
    app.sites[0].set_healthy(false);
    when_running(&app.manager, AppServerId(id)).await.unwrap();
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (Value::Null, 1));
    app.sites[0].set_healthy(true);
    let jobs = "SELECT count(*) AS n FROM graphile_worker.jobs WHERE key = 'activate_when_running:1'";
    pending::sweep(&app.manager).await.unwrap();
    assert_eq!(app.number(jobs).await, 1);
    when_running(&app.manager, AppServerId(id)).await.unwrap();
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (json!(id), 0));
    app.end().await;
}

#[tokio::test]
async fn automatic_activation_is_given_up_when_checks_fail_too_long() {
    let setup = Setup { works: false, options: |options| options.checks_timeout = Duration::ZERO, ..Setup::default() };
    let app = TestApp::with(setup).await;
    let instance = app.instance("demo").await;
    let id = wanted(&app, instance).await;
    app.sites[0].set_healthy(false);
    when_running(&app.manager, AppServerId(id)).await.unwrap();
    assert_eq!((active(&app, instance).await, app.number(WANTED).await), (Value::Null, 0));
    assert!(app.log_says(id, "Not activated by itself: Cannot make an unhealthy app server active").await);
    app.end().await;
}

#[tokio::test]
async fn a_manual_activation_cancels_the_automatic_one() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let old = app.running(instance).await;
    let new = wanted(&app, instance).await;
    let operator = app.operator().await;
    for id in [new, old] {
        operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    }
    assert_eq!(app.number(WANTED).await, 0);
    when_running(&app.manager, AppServerId(new)).await.unwrap();
    assert_eq!(active(&app, instance).await, json!(old));
    app.end().await;
}
