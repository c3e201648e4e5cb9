//! The list of machines: what it says of each, its filters, and its pages.

use serde_json::{Value, json};

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v1/servers";

/// The ids of the machines that a query finds, the newest first.
async fn found(client: &Client, query: &str) -> Vec<i64> {
    let page = client.get(&format!("{PATH}?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn machines_are_paged_with_their_app_servers() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let ready = app.running(instance).await;
    let pending = app.launched(instance).await;
    let viewer = app.viewer().await;
    let all = viewer.get(PATH).await.expect(200);
    let owners: Vec<&Value> = all["items"].as_array().unwrap().iter().map(|server| &server["app_server_id"]).collect();
    assert_eq!(owners, [&json!(pending), &json!(ready)]);
    insta::assert_json_snapshot!(all["items"][1], {
        ".created" => "[time]", ".modified" => "[time]"
    }, @r#"
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
      "image": "fake-image",
      "flavor": "fake-small",
      "ssh": null,
      "created": "[time]",
      "modified": "[time]",
      "app_server_name": "AppServer 1",
      "app_server_status": "running",
      "instance_id": 1,
      "instance_name": "Instance demo",
      "role": "unneeded",
      "role_description": "Its app server is neither active, fallback, newest nor pinned",
      "is_pinned": false,
      "unneeded_since": null,
      "ends_at": null,
      "termination_requested_at": null,
      "termination_requested_by": null,
      "missing_since": null
    }
    "#);
    assert_eq!(
        (&all["items"][0]["image"], &all["items"][0]["flavor"]),
        (&Value::Null, &Value::Null),
        "not created yet"
    );
    let path = all["items"][1]["api_url"].as_str().unwrap();
    assert_eq!(viewer.get(path).await.expect(200), all["items"][1]);

    let first = viewer.get("/api/v1/servers?limit=1").await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = viewer.get(&format!("/api/v1/servers?limit=1&cursor={next}")).await.expect(200);
    assert_eq!((&second["items"][0], &second["next_cursor"]), (&all["items"][1], &Value::Null));
    viewer.get("/api/v1/servers/99").await.problem(404);
    app.end().await;
}

#[tokio::test]
async fn machines_are_filtered_by_owner_provider_state_and_words() {
    let app = TestApp::idle().await;
    let (demo, other) = (app.instance("demo").await, app.instance("other").await);
    for instance in [demo, other, demo] {
        app.running(instance).await;
    }
    app.launched(demo).await;
    app.execute(
        "UPDATE servers SET provider = 'local', public_ip = '10.213.0.7', provider_id = '3f0e-77aa' WHERE id = 2",
    )
    .await;
    let viewer = app.viewer().await;
    for (query, expected) in [
        ("", &[4, 3, 2, 1][..]),
        ("sort=created", &[1, 2, 3, 4]),
        ("status=ready", &[3, 2, 1]),
        ("status=pending", &[4]),
        ("provider=local", &[2]),
        ("provider=fake", &[4, 3, 1]),
        ("provider=elsewhere", &[]),
        (&format!("instance_id={demo}"), &[4, 3, 1]),
        (&format!("instance_id={demo}&status=ready"), &[3, 1]),
        ("q=edxapp", &[4, 3, 2, 1]),
        ("q=edxapp%204", &[4]),
        ("q=10.213.0", &[2]),
        ("q=3f0e-77", &[2]),
        ("q=instance%20other", &[2]),
        ("q=INST", &[4, 3, 2, 1]),
        ("q=nothing", &[]),
        ("q=%25", &[]),
        ("q=&provider=fake&limit=500", &[4, 3, 1]),
    ] {
        assert_eq!(found(&viewer, query).await, expected, "{query}");
    }
    // A filter stays in force on the following pages.
    let first = viewer.get(&format!("{PATH}?q=demo&status=ready&limit=1")).await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    assert_eq!(found(&viewer, &format!("q=demo&status=ready&limit=1&cursor={next}")).await, [1]);
    for wrong in ["status=gone", "role=hero", "exists=perhaps", "instance_id=x", "kind=fake", "cursor=x"] {
        viewer.get(&format!("{PATH}?{wrong}")).await.problem(400);
    }
    app.end().await;
}

#[tokio::test]
async fn machines_that_exist_are_counted_by_provider_and_status() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    for _ in 0..3 {
        app.running(instance).await;
    }
    let never_made = app.launched(instance).await;
    app.launched(instance).await;
    app.execute("UPDATE servers SET provider = 'local' WHERE id = 1").await;
    app.execute("UPDATE servers SET status = 'terminated' WHERE id = 2").await;
    app.execute(&format!("UPDATE app_servers SET status = 'error' WHERE id = {never_made}")).await;
    let viewer = app.viewer().await;
    assert_eq!(
        viewer.get("/api/v1/servers/counts").await.expect(200),
        json!({ "items": [
            { "provider": "fake", "status": "pending", "count": 1 },
            { "provider": "fake", "status": "ready", "count": 1 },
            { "provider": "local", "status": "ready", "count": 1 },
        ] })
    );
    assert_eq!(found(&viewer, "exists=true").await, [5, 3, 1]);
    assert_eq!(found(&viewer, "exists=false").await, [4, 2]);
    assert_eq!(found(&viewer, "role=ended").await, [4, 2]);
    app.end().await;
}
