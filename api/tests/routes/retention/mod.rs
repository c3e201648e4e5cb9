//! The list of scheduled terminations.

use ocim::instances::upkeep::retention;
use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn scheduled_terminations_are_paged_earliest_first() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    assert_eq!(viewer.get("/api/v1/retention").await.expect(200), json!({ "items": [], "next_cursor": null }));
    let instance = app.instance("demo").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(app.running(instance).await);
    }
    retention::mark(&app.manager).await.unwrap();
    let all = viewer.get("/api/v1/retention").await.expect(200);
    let found: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|one| &one["app_server_id"]).collect();
    assert_eq!(found, [&json!(ids[0]), &json!(ids[1])], "the newest could be activated next");
    insta::assert_json_snapshot!(all["items"][0], { ".unneeded_since" => "[time]", ".terminates_at" => "[time]" }, @r#"
    {
      "app_server_id": 1,
      "app_server_name": "AppServer 1",
      "instance_id": 1,
      "instance_name": "Instance demo",
      "server_id": 1,
      "server_name": "edxapp-demo-1",
      "provider": "fake",
      "public_ip": "192.0.2.1",
      "unneeded_since": "[time]",
      "terminates_at": "[time]"
    }
    "#);
    assert_eq!(app.read_app_server(ids[0]).await["terminates_at"], all["items"][0]["terminates_at"]);

    let first = viewer.get("/api/v1/retention?limit=1").await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = viewer.get(&format!("/api/v1/retention?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&second["items"][0], &second["next_cursor"]), (&all["items"][1], &Value::Null));
    app.end().await;
}
