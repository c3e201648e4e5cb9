//! The gateway follows the pointer, also after it was unavailable.

use ocim::config::gateway::Scheme;
use ocim::instances::traffic::apply_routing;
use serde_json::{Value, json};
use shared_types::InstanceId;

use crate::app::{Setup, TestApp};

const BEHIND: &str = "SELECT count(*) AS n FROM instances WHERE routing_applied_generation < routing_generation";

#[tokio::test]
async fn the_sweep_repeats_routes_that_the_gateway_did_not_take() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    apply_routing::apply_behind(&app.manager).await.unwrap();
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

    apply_routing::apply_behind(&app.manager).await.unwrap();
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
async fn the_gateway_knows_host_names_before_an_activation() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    crate::app::until("the name is known", async || app.traffic.table().contains_key("demo.localhost")).await;
    assert_eq!(app.traffic.table()["demo.localhost"], None);
    app.end().await;
}

#[tokio::test]
async fn an_invalid_route_does_not_block_other_routes() {
    let app = TestApp::idle().await;
    let (broken, fine) = (app.instance("broken").await, app.instance("fine").await);
    let operator = app.operator().await;
    for instance in [broken, fine] {
        let id = app.running(instance).await;
        operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    }
    let first = "SELECT server_id FROM app_servers WHERE instance_id = 1";
    app.execute(&format!("UPDATE servers SET http_address = 'nowhere' WHERE id = ({first})")).await;
    app.execute("UPDATE instance_hostnames SET hostname = 'no host' WHERE hostname = 'studio.broken.localhost'").await;
    for _ in 0..2 {
        apply_routing::apply_all(&app.manager).await.unwrap();
        apply_routing::apply_behind(&app.manager).await.unwrap();
        assert_ne!(app.traffic.table()["fine.localhost"], None, "the other instance is served");
        assert_eq!(app.traffic.table()["broken.localhost"], None, "nothing is served where nothing can be");
        assert_eq!(app.number(BEHIND).await, 1, "the instance stays behind until its routes are mended");
    }
    app.end().await;
}

#[tokio::test]
async fn a_failure_of_the_gateway_does_not_block_other_instances() {
    let app = TestApp::idle().await;
    for name in ["a", "b", "c"] {
        app.instance(name).await;
    }
    // The batch fails, and then the first instance's own update.
    app.traffic.fail_next(2);
    apply_routing::apply_behind(&app.manager).await.unwrap();
    assert_eq!(app.number(BEHIND).await, 1);
    assert_eq!(app.traffic.table().keys().filter(|name| !name.starts_with("studio")).count(), 2);
    apply_routing::apply_behind(&app.manager).await.unwrap();
    assert_eq!(app.number(BEHIND).await, 0);
    app.end().await;
}

#[tokio::test]
async fn more_host_names_than_the_gateway_is_sized_for_are_refused_and_nothing_else_is() {
    let app = TestApp::with(Setup { works: false, options: |options| options.max_hosts = 4, ..Setup::default() }).await;
    let operator = app.operator().await;
    app.instance("a").await;
    let second = app.instance("b").await;
    let third = json!({ "name": "Third", "sub_domain": "c" });
    let refused = operator.post("/api/v1/instances", third.clone()).await.problem(409);
    let words = refused["detail"].as_str().unwrap();
    assert!(words.contains("sized for 4 host names") && words.contains("OCIM_GATEWAY_MAX_HOSTS"), "{words}");
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_hostnames").await, 4, "nothing was saved");

    // Changes that add no host name are accepted, and archiving an instance frees its names.
    let path = format!("/api/v1/instances/{second}");
    let etag = operator.get(&path).await.expect(200)["etag"].as_str().unwrap().to_owned();
    operator.patch(&path, &etag, json!({ "name": "Renamed" })).await.expect(200);
    operator.delete(&path).await.expect(200);
    operator.post("/api/v1/instances", third).await.expect(201);
    operator.post(&format!("{path}/restore"), json!({})).await.problem(409);

    // A limit below the number of existing names stops neither the start nor the sweep.
    apply_routing::apply_all(&app.manager).await.unwrap();
    assert_eq!(app.traffic.table().len(), 4);
    assert_eq!(app.number(BEHIND).await, 0, "archived instances too are told of");
    app.end().await;
}

#[tokio::test]
async fn the_gateway_has_the_protocol_of_the_active_app_server() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (path, operator) = (format!("/api/v1/instances/{instance}"), app.operator().await);
    let change = async |protocol: &str| {
        let etag = operator.get(&path).await.expect(200)["etag"].as_str().unwrap().to_owned();
        operator.patch(&path, &etag, json!({ "protocol": protocol })).await.expect(200);
    };
    let becomes = async |scheme| {
        crate::app::until("the gateway has the protocol", async || {
            app.traffic.scheme("demo.localhost") == Some(scheme) && app.number(BEHIND).await == 0
        })
        .await;
    };
    becomes(Scheme::Http).await;
    change("https").await;
    becomes(Scheme::Https).await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    change("http").await;
    becomes(Scheme::Https).await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    becomes(Scheme::Http).await;
    app.end().await;
}
