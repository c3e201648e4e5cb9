use serde_json::{Value, json};

use crate::app::{TestApp, stories};

#[tokio::test]
async fn activations_show_actor_reason_and_when_they_were_applied() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let path = format!("/api/v1/instances/{instance}/activations");
    let operator = app.operator().await;
    assert_eq!(operator.get(&path).await.expect(200)["items"], json!([]));
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    stories::activate(&operator, first, json!({})).await.expect(200);
    stories::activate(&operator, second, json!({ "reason": "teak" })).await.expect(200);
    app.until_serving(first, "fallback").await;
    let all = operator.get(&path).await.expect(200);
    let redacted = insta::dynamic_redaction(|value, _| {
        assert!(value.as_str().is_some(), "applied");
        "[time]"
    });
    insta::assert_json_snapshot!(all, {
        ".items[].activated_at" => "[time]",
        ".items[].applied_at" => redacted,
        ".items[0].drained_at" => "[time]",
        ".items[].activated_by" => "[operator]",
    }, @r#"
    {
      "items": [
        {
          "id": 2,
          "app_server_id": 2,
          "replaced_app_server_id": 1,
          "activated_by": "[operator]",
          "activated_at": "[time]",
          "applied_at": "[time]",
          "reason": "teak",
          "kind": "manual",
          "is_forced": false,
          "drained_at": "[time]"
        },
        {
          "id": 1,
          "app_server_id": 1,
          "replaced_app_server_id": null,
          "activated_by": "[operator]",
          "activated_at": "[time]",
          "applied_at": "[time]",
          "reason": null,
          "kind": "manual",
          "is_forced": false,
          "drained_at": null
        }
      ],
      "next_cursor": null
    }
    "#);
    let newest = operator.get(&format!("{path}?limit=1")).await.expect(200);
    let cursor = newest["next_cursor"].as_str().unwrap();
    let oldest = operator.get(&format!("{path}?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!((&oldest["items"][0], &oldest["next_cursor"]), (&all["items"][1], &Value::Null));
    app.end().await;
}
