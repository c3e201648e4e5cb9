//! Listing and reading machines.

mod orphans;

use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn machines_are_paged_with_their_app_servers() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let ready = app.running(instance).await;
    let pending = app.launched(instance).await;
    let viewer = app.viewer().await;
    let all = viewer.get("/api/v1/servers").await.expect(200);
    let owners: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|server| &server["app_server_id"]).collect();
    assert_eq!(owners, [&json!(pending), &json!(ready)]);
    insta::assert_json_snapshot!(all["items"][1], { ".created" => "[time]", ".modified" => "[time]" }, @r#"
    {
      "id": 1,
      "api_url": "/api/v1/servers/1",
      "app_server_id": 1,
      "name": "edxapp-demo-1",
      "provider": "fake",
      "provider_id": "fake-1",
      "status": "ready",
      "status_name": "Ready",
      "status_description": "Booted and ready",
      "public_ip": "192.0.2.1",
      "created": "[time]",
      "modified": "[time]"
    }
    "#);
    let path = all["items"][1]["api_url"].as_str().unwrap();
    assert_eq!(viewer.get(path).await.expect(200), all["items"][1]);

    let first = viewer.get("/api/v1/servers?limit=1").await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = viewer.get(&format!("/api/v1/servers?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&second["items"][0], &second["next_cursor"]), (&all["items"][1], &Value::Null));
    app.end().await;
}
