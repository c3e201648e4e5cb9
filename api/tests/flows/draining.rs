//! A replaced app server drains, and is then the fallback. No request is cut.

use std::sync::Arc;
use std::time::Duration;

use ocim::config::Settings;
use ocim::config::gateway::GatewaySettings;
use ocim::instances::traffic::{apply_routing, drain};
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use ocim::routing::traffic::Traffic;
use serde_json::{Value, json};
use shared_types::InstanceId;

use crate::app::{Answer, Setup, TestApp, http, ports, stories, until};

const UPDATES: &str = "SELECT count(*) AS n FROM events WHERE kind = 'AppServerUpdated' AND app_server_id = 1";

/// An instance with two running app servers, the first active. No worker runs; only the test updates the gateway.
async fn two(app: &TestApp) -> (i64, i64, i64) {
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    switch(app, instance, first, json!({})).await;
    (instance, first, second)
}

async fn switch(app: &TestApp, instance: i64, id: i64, body: Value) {
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), body).await.expect(202);
    apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap();
}

async fn serving(app: &TestApp, id: i64) -> Value {
    app.read_app_server(id).await["serving"].clone()
}

#[tokio::test]
async fn a_replaced_app_server_drains_while_it_has_open_requests() {
    let app = TestApp::idle().await;
    let (instance, first, second) = two(&app).await;
    app.traffic.set_open_connections(app.sites[0].address, 1);
    switch(&app, instance, second, json!({ "drain_limit_seconds": 600 })).await;
    drain::sweep(&app.manager).await.unwrap();
    assert_eq!(serving(&app, first).await, "draining");
    let refused = app.operator().await.post(&format!("/api/v1/app-servers/{first}/terminate"), json!({})).await;
    assert!(refused.problem(409)["detail"].as_str().unwrap().contains("Still draining after the switch"));

    // Without the gateway's count of open requests, draining goes on.
    app.traffic.fail_next(1);
    drain::sweep(&app.manager).await.unwrap();
    assert_eq!(serving(&app, first).await, "draining");

    app.traffic.set_open_connections(app.sites[0].address, 0);
    let before = app.number(UPDATES).await;
    drain::sweep(&app.manager).await.unwrap();
    drain::sweep(&app.manager).await.unwrap();
    assert_eq!(serving(&app, first).await, "fallback");
    assert_eq!(app.number(UPDATES).await, before + 1, "the screen is told once");
    app.end().await;
}

#[tokio::test]
async fn draining_ends_at_its_limit() {
    let app = TestApp::idle().await;
    let (instance, first, second) = two(&app).await;
    app.traffic.set_open_connections(app.sites[0].address, 7);
    app.operator()
        .await
        .post(&format!("/api/v1/app-servers/{second}/activate"), json!({ "drain_limit_seconds": 0 }))
        .await
        .expect(202);
    drain::sweep(&app.manager).await.unwrap();
    assert_eq!(serving(&app, first).await, "draining", "the gateway still sends visitors there");
    apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap();
    drain::sweep(&app.manager).await.unwrap();
    assert_eq!(serving(&app, first).await, "fallback");
    let limit = "SELECT drain_limit_seconds::bigint AS n FROM activations ORDER BY id DESC LIMIT 1";
    assert_eq!(app.number(limit).await, 0);
    // Without `drain_limit_seconds`, the setting's limit applies.
    switch(&app, instance, first, json!({})).await;
    assert_eq!(app.number(limit).await, 1);
    app.end().await;
}

#[tokio::test]
async fn an_app_server_that_is_activated_again_stops_draining() {
    let app = TestApp::idle().await;
    let (instance, first, second) = two(&app).await;
    app.traffic.set_open_connections(app.sites[0].address, 1);
    app.traffic.set_open_connections(app.sites[1].address, 1);
    switch(&app, instance, second, json!({ "drain_limit_seconds": 600 })).await;
    switch(&app, instance, first, json!({ "drain_limit_seconds": 600 })).await;
    assert_eq!((serving(&app, first).await, serving(&app, second).await), (json!("active"), json!("draining")));
    let history =
        app.viewer().await.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200)["items"].clone();
    assert_eq!((&history[0]["drained_at"], &history[2]["drained_at"]), (&Value::Null, &Value::Null));
    assert_ne!(history[1]["drained_at"], Value::Null, "that drain is over");
    app.end().await;
}

/// Kills HAProxy on drop, also when the test fails.
struct Killed(Arc<HaproxyGateway>);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.process().signal(ocim::platform::children::Signal::KILL).unwrap();
    }
}

#[tokio::test]
async fn a_long_request_ends_on_the_old_app_server_after_a_switch_of_haproxy() {
    let directory = tempfile::tempdir().unwrap();
    let listen = ports::reserved();
    let settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = listen);
    let settings = GatewaySettings::new(&settings).unwrap();
    let config = GatewayConfig { settings, dir: directory.path().join("gateway"), connections: 1000 };
    let gateway = HaproxyGateway::start(config).await;
    let gateway = Arc::new(gateway.unwrap());
    let _killed = Killed(gateway.clone());
    let app = TestApp::with(Setup { gateway: Some(gateway.clone()), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    app.activate(first).await.expect(200);

    let [old, new] = [app.sites[0].clone(), app.sites[1].clone()];
    old.set_held(true);
    let visitor = http().build().unwrap();
    let visit =
        move |path: &str| Answer::to(visitor.get(format!("http://{listen}{path}")).header("host", "demo.localhost"));
    let long = tokio::spawn(visit("/long"));
    until("the request is under way", async || gateway.open_connections(old.address).await == Ok(1)).await;
    let body = json!({ "drain_limit_seconds": 600 });
    stories::activate(&app.operator().await, second, body).await.expect(200);
    assert_eq!(visit("/next").await.status, 200);
    assert_eq!(new.asked().last().unwrap(), "demo.localhost/next");
    tokio::time::timeout(Duration::from_secs(30), app.until_serving(first, "draining")).await.unwrap();
    assert_eq!(gateway.open_connections(old.address).await, Ok(1));
    assert!(!long.is_finished());
    old.set_held(false);
    assert_eq!(long.await.unwrap().status, 200);
    app.until_serving(first, "fallback").await;
    app.end().await;
    gateway.stop().await.unwrap();
}
