//! For whoever watches the program.

use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn it_lives_and_is_ready_while_the_worker_runs() {
    let app = TestApp::start().await;
    let nobody = app.anonymous();
    assert_eq!(nobody.get("/healthz").await.expect(200), json!({ "status": "ok" }));
    assert_eq!(nobody.get("/readyz").await.expect(200), json!({ "status": "ok" }));
    app.end().await;
}

#[tokio::test]
async fn it_is_not_ready_without_a_worker() {
    let app = TestApp::idle().await;
    let nobody = app.anonymous();
    nobody.get("/healthz").await.expect(200);
    assert_eq!(nobody.get("/readyz").await.problem(503)["detail"], "The worker is not running.");
    app.end().await;
}
