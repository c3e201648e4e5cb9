//! Concurrent activations of one instance.

use serde_json::{Value, json};

use crate::app::{TestApp, stories};

#[tokio::test]
async fn concurrent_activations_leave_one_pointer_and_a_consistent_history() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    let activate = |id| stories::activate(&operator, id, json!({}));
    let (one, other) = tokio::join!(activate(first), activate(second));
    one.expect(200);
    other.expect(200);
    let history = operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    let [newest, oldest] = <[Value; 2]>::try_from(history["items"].as_array().unwrap().clone()).unwrap();
    assert_eq!(oldest["replaced_app_server_id"], Value::Null);
    assert_eq!(newest["replaced_app_server_id"], oldest["app_server_id"]);
    let read = app.read_instance(instance).await;
    assert_eq!(read["active_appserver"]["id"], newest["app_server_id"]);
    assert_eq!(read["fallback_app_server_id"], oldest["app_server_id"]);
    let site = if newest["app_server_id"] == first { 0 } else { 1 };
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[site].address));
    app.end().await;
}

#[tokio::test]
async fn concurrent_activations_with_the_same_expected_active_conflict() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    let activate = |id| stories::activate(&operator, id, json!({ "expected_active": null }));
    let (one, other) = tokio::join!(activate(first), activate(second));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(app.number("SELECT count(*) AS n FROM activations").await, 1);
    app.end().await;
}

#[tokio::test]
async fn activation_is_refused_if_another_instance_has_the_host_name_now() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let old = app.running(instance).await;
    let operator = app.operator().await;
    let renamed = json!({ "sub_domain": "later" });
    operator.patch(&format!("/api/v1/instances/{instance}"), "\"1\"", renamed).await.expect(200);
    app.instance("demo").await;
    let problem = app.activate(old).await.problem(409);
    assert_eq!(problem["detail"], "App server 1 was built for demo.localhost, which another instance has now.");
    assert_eq!(app.read_instance(instance).await["active_appserver"], Value::Null);
    app.end().await;
}
