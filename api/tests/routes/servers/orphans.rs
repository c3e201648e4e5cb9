//! Orphaned and missing machines: the list, and reconciling by hand.

use ocim::instances::upkeep::reaper;
use serde_json::{Value, json};
use shared_types::{Role, ServerId};

use crate::app::TestApp;

const PATH: &str = "/api/v1/servers/orphans";

#[tokio::test]
async fn listing_orphans_changes_nothing_and_only_admins_reconcile() {
    let app = TestApp::idle().await;
    let (viewer, admin) = (app.viewer().await, app.person(Role::Admin).await);
    let nothing = viewer.get(PATH).await.expect(200);
    assert_eq!(nothing, json!({ "items": [], "compared_at": null, "note": null, "done": [] }));

    app.provider.plant(ServerId(999)).unwrap();
    reaper::sweep(&app.manager).await.unwrap();
    let found = viewer.get(PATH).await.expect(200);
    assert!(found["compared_at"].is_string());
    insta::assert_json_snapshot!(
        found["items"],
        { "[].first_seen" => "[time]", "[].last_seen" => "[time]", "[].due_at" => "[time]" },
        @r#"
    [
      {
        "kind": "unowned",
        "provider": "fake",
        "provider_id": "fake-999",
        "server_id": 999,
        "app_server_id": null,
        "instance_id": null,
        "first_seen": "[time]",
        "last_seen": "[time]",
        "due_at": "[time]",
        "action": "the machine will be deleted"
      }
    ]
    "#
    );
    let early = admin.post(PATH, json!({})).await.expect(200);
    assert_eq!(
        (&early["done"], early["items"].as_array().unwrap().len()),
        (&json!([]), 1),
        "its grace time is not over"
    );

    app.execute("UPDATE orphans SET first_seen = first_seen - interval '1 hour'").await;
    assert_eq!(viewer.get(PATH).await.expect(200)["items"].as_array().unwrap().len(), 1);
    app.operator().await.post(PATH, json!({})).await.problem(403);
    assert_eq!(app.provider.machines(), [ServerId(999)]);
    let done = admin.post(PATH, json!({})).await.expect(200);
    assert_eq!(done["done"], json!(["machine fake-999 (server 999), which had no owner, was deleted"]));
    assert_eq!(done["items"], json!([]));
    assert!(app.provider.machines().is_empty());
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'remove_orphans' AND actor LIKE 'admin%'";
    assert_eq!(app.number(audited).await, 2);
    assert_eq!(viewer.get(PATH).await.expect(200)["done"], Value::Array(Vec::new()));
    app.end().await;
}
