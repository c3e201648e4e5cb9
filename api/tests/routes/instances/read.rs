use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn an_instance_shows_its_pending_changes() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let path = format!("/api/v1/instances/{instance}");
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    assert_eq!(app.read_instance(instance).await["pending_changes"], json!([]));

    let operator = app.operator().await;
    let etag = operator.get(&path).await.header("etag").to_owned();
    operator.patch(&path, &etag, json!({ "openedx_release": "open-release/quince.3" })).await.expect(200);
    let read = operator.get(&path).await;
    assert!(read.header("etag").starts_with("\"2-"));
    let read = read.expect(200);
    assert_eq!(read["pending_changes"], json!(["openedx_release"]));
    assert_eq!(read["active_appserver"]["id"], id);
    assert_eq!(read["appservers"].as_array().unwrap().len(), 1);
    let app_server = app.read_app_server(id).await;
    assert_eq!(app_server["configuration"]["openedx_release"], "master", "what was built stays as it was built");
    app.end().await;
}

#[tokio::test]
async fn an_instance_shows_its_app_servers_and_their_number() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let ids = [app.launched(instance).await, app.launched(instance).await];
    let read = app.read_instance(instance).await;
    assert_eq!(read["appserver_count"], 2);
    assert_eq!(read["appservers"][0]["id"], ids[1], "the newest first");
    assert_eq!(read["newest_appserver"]["name"], "AppServer 2");
    app.end().await;
}
