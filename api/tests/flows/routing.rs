//! The gateway follows the pointer, also after it was away.

use ocim::instances::apply_routing;
use serde_json::{Value, json};
use shared_types::InstanceId;

use crate::app::TestApp;

const BEHIND: &str = "SELECT count(*) AS n FROM instances WHERE routing_applied_generation < routing_generation";

#[tokio::test]
async fn what_the_gateway_did_not_take_is_told_again_by_the_sweep() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let worker = app.builder();
    worker.reroute().await.unwrap();
    assert_eq!(app.number(BEHIND).await, 0);
    let operator = app.operator().await;
    operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    app.traffic.fail_next(1);
    let error = apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap_err();
    assert_eq!(error.to_string(), "the gateway does not take it: the gateway was told to fail");
    assert_eq!(app.number(BEHIND).await, 1);
    assert_eq!(app.traffic.table()["demo.localhost"], None);
    let history = async || operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    assert_eq!(history().await["items"][0]["applied_at"], Value::Null);

    worker.reroute().await.unwrap();
    assert_eq!(app.number(BEHIND).await, 0);
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address));
    assert_ne!(history().await["items"][0]["applied_at"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn a_gateway_that_lost_its_table_gets_it_back() {
    use ocim::routing::traffic::Traffic;
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.instance("empty").await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    app.traffic.replace_all(&[]).await.unwrap();
    apply_routing::apply_all(&app.manager).await.unwrap();
    let table = app.traffic.table();
    assert_eq!(table.len(), 4);
    assert_eq!(table["studio.demo.localhost"], Some(app.sites[0].address));
    assert_eq!(table["empty.localhost"], None, "it is known, and nothing serves it");
    app.end().await;
}

#[tokio::test]
async fn hosts_are_known_before_anything_serves_them() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    crate::app::until("the gateway knows it", async || app.traffic.table().contains_key("demo.localhost")).await;
    assert_eq!(app.traffic.table()["demo.localhost"], None);
    app.end().await;
}
