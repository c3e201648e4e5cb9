use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn a_hold_is_set_once_and_released_once() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let path = format!("/api/v1/instances/{instance}/hold");
    let operator = app.operator().await;
    assert_eq!(operator.delete(&path).await.expect(200)["hold"], Value::Null, "none to lift is success");
    let held = operator.put(&path, json!({ "reason": "exam week" })).await.expect(200);
    assert_eq!((&held["has_hold"], &held["hold"]["reason"]), (&json!(true), &json!("exam week")));
    assert!(held["hold"]["by"].as_str().unwrap().starts_with("operator-"), "{held}");
    let again = app.operator().await.put(&path, json!({ "reason": "another" })).await.expect(200);
    assert_eq!(again["hold"], held["hold"], "who set it stays");
    for _ in 0..2 {
        let lifted = operator.delete(&path).await.expect(200);
        assert_eq!((&lifted["has_hold"], &lifted["hold"]), (&json!(false), &Value::Null));
    }
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action IN ('hold_instance', 'lift_hold')";
    assert_eq!(app.number(audited).await, 2);
    let told = "SELECT count(*) AS n FROM log_entries WHERE text LIKE '%hold%' AND app_server_id IS NULL";
    assert_eq!(app.number(told).await, 2);
    operator.put(&path, json!({ "reason": "x".repeat(501) })).await.field_error("/reason");
    app.end().await;
}

#[tokio::test]
async fn a_hold_does_not_stop_activation_by_people() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.operator().await.put(&format!("/api/v1/instances/{instance}/hold"), json!({})).await.expect(200);
    app.activate(id).await.expect(200);
    assert_eq!(app.read_instance(instance).await["has_hold"], true);
    app.end().await;
}
