use serde_json::json;

use crate::app::TestApp;

const REFUSED: &str = "SELECT coalesce(string_agg(action || ' ' || coalesce(instance_id::text, '-') || ' ' || \
    coalesce(app_server_id::text, '-') || ': ' || reason, E'\\n' ORDER BY id), '') AS text \
    FROM audit_log WHERE outcome = 'refused'";

#[tokio::test]
async fn every_refused_change_is_audited_with_actor_and_reason() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let (viewer, operator) = (app.viewer().await, app.operator().await);
    viewer.post("/api/v1/instances/1/app-servers", json!({})).await.problem(403);
    operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.problem(409);
    operator.patch("/api/v1/instances/1", "\"7\"", json!({ "name": "x" })).await.problem(412);
    operator.post("/api/v1/instances", json!({ "sub_domain": "x" })).await.problem(422);
    // Requests without authentication and refused reads are not audited.
    app.anonymous().post("/api/v1/instances", json!({})).await.problem(401);
    viewer.get("/api/v1/instances/99").await.problem(404);
    let told = app.text(REFUSED).await;
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), 4, "{told:#?}");
    assert_eq!(told[0], "launch_app_server 1 -: This needs the role operator; yours is viewer.");
    assert!(told[1].starts_with(&format!("activate_app_server - {id}: ")), "{told:#?}");
    assert!(told[2].starts_with("update_instance 1 -: The instance was changed since you read it"), "{told:#?}");
    assert!(told[3].starts_with("create_instance - -: Some fields are not valid"), "{told:#?}");
    let whose = "SELECT count(*) AS n FROM audit_log WHERE outcome = 'refused' AND user_id IS NOT NULL \
        AND token_id IS NOT NULL AND address = '127.0.0.1' AND request_id IS NOT NULL AND actor LIKE '%(token «test»)'";
    assert_eq!(app.number(whose).await, 4);
    app.end().await;
}
