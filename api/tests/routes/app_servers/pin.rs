//! Pinning an app server, which keeps its machine.

use ocim::instances::upkeep::retention;
use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn pinning_cancels_the_termination_and_unpinning_schedules_it() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let old = app.running(instance).await;
    app.running(instance).await;
    retention::mark(&app.manager).await.unwrap();
    assert!(app.read_app_server(old).await["terminates_at"].is_string());

    let operator = app.operator().await;
    let path = format!("/api/v1/app-servers/{old}/pin");
    let pinned = operator.put(&path, json!({ "reason": "to compare with" })).await.expect(200);
    assert_eq!((&pinned["is_pinned"], &pinned["terminates_at"]), (&json!(true), &Value::Null));
    assert!(app.log_says(old, "keeps AppServer 1: to compare with").await);
    retention::sweep(&app.manager).await.unwrap();
    assert_eq!(app.read_app_server(old).await["terminates_at"], Value::Null);

    operator.put(&path, json!({})).await.expect(200);
    let unpinned = operator.delete(&path).await.expect(200);
    assert_eq!(unpinned["is_pinned"], false);
    operator.delete(&path).await.expect(200);
    let audited = |action: &str| format!("SELECT count(*) AS n FROM audit_log WHERE action = '{action}'");
    assert_eq!(app.number(&audited("pin_app_server")).await, 1, "repeating changes nothing");
    assert_eq!(app.number(&audited("unpin_app_server")).await, 1, "repeating changes nothing");
    retention::mark(&app.manager).await.unwrap();
    assert!(app.read_app_server(old).await["terminates_at"].is_string());
    app.end().await;
}

#[tokio::test]
async fn an_app_server_that_is_being_terminated_cannot_be_pinned() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let operator = app.operator().await;
    operator.post(&format!("/api/v1/app-servers/{id}/terminate"), json!({})).await.expect(202);
    let problem = operator.put(&format!("/api/v1/app-servers/{id}/pin"), json!({})).await.problem(409);
    assert_eq!(
        problem["detail"],
        format!(
            "App server {id} is terminated and the end of its machine was decided; it must have a machine to be pinned. \
             Launch another one."
        )
    );
    let long = json!({ "reason": "x".repeat(501) });
    operator.put(&format!("/api/v1/app-servers/{id}/pin"), long).await.field_error("/reason");
    app.end().await;
}
