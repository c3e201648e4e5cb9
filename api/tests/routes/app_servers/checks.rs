use serde_json::json;

use crate::app::{TestApp, until};

#[tokio::test]
async fn checks_run_on_request_and_their_last_results_are_kept() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let path = format!("/api/v1/app-servers/{id}/checks");
    let (viewer, operator) = (app.viewer().await, app.operator().await);
    let built = viewer.get(&path).await.expect(200);
    assert_eq!((&built["items"][0]["name"], &built["items"][1]["name"]), (&json!("lms"), &json!("studio")));
    app.sites[0].set_healthy(false);
    let made = operator.post(&path, json!({})).await.expect(200);
    assert_eq!(made["items"][0]["is_ok"], false);
    assert!(made["items"][0]["detail"].as_str().unwrap().starts_with("503 in "), "{made}");
    let kept = viewer.get(&path).await.expect(200);
    assert_eq!(kept["items"][0]["detail"], made["items"][0]["detail"]);
    assert_eq!(kept["items"].as_array().unwrap().len(), 2);
    app.end().await;
}

#[tokio::test]
async fn a_machine_without_an_address_cannot_be_checked() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let path = format!("/api/v1/app-servers/{id}/checks");
    assert_eq!(app.viewer().await.get(&path).await.expect(200), json!({ "items": [] }));
    let problem = app.operator().await.post(&path, json!({})).await.problem(409);
    assert_eq!(problem["detail"], "App server 1 is new; its machine must have an address to be checked.");
    app.end().await;
}

#[tokio::test]
async fn the_checks_of_the_active_app_server_are_repeated() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (active, other) = (app.running(instance).await, app.running(instance).await);
    app.operator().await.post(&format!("/api/v1/app-servers/{active}/activate"), json!({})).await.expect(202);
    let asked = (app.sites[0].asked().len(), app.sites[1].asked().len());
    app.sites[0].set_healthy(false);
    let (manager, signals) = (app.manager.clone(), app.bus.subscribe());
    let watching = tokio::spawn(async move { ocim::instances::health::watch::watch(&manager, signals).await });
    let viewer = app.viewer().await;
    until("its checks are made again", async || {
        let last = viewer.get(&format!("/api/v1/app-servers/{active}/checks")).await.expect(200);
        last["items"][0]["is_ok"] == false
    })
    .await;
    watching.abort();
    assert!(app.sites[0].asked().len() >= asked.0 + 2);
    assert_eq!(app.sites[1].asked().len(), asked.1, "{other} has no traffic");
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], active, "they take no traffic away");
    app.end().await;
}
