//! Reports of errors in the pages.

use serde_json::json;
use shared_types::Role;

use crate::app::TestApp;

#[tokio::test]
async fn viewers_may_report_page_errors_within_limits() {
    let app = TestApp::idle().await;
    let path = "/api/v1/client-errors";
    let viewer = app.session(Role::Viewer).await;
    let whole = json!({ "message": "x".repeat(4000), "page": "/".repeat(500), "version": "0.1.0" });
    viewer.post(path, whole).await.expect(204);
    viewer.post(path, json!({ "message": "a\nb\u{1b}[31m", "page": "" })).await.expect(204);
    for (body, pointer) in [
        (json!({ "message": "x".repeat(4001), "page": "/" }), "/message"),
        (json!({ "message": " ", "page": "/" }), "/message"),
        (json!({ "message": "x", "page": "/".repeat(501) }), "/page"),
        (json!({ "message": "x", "page": "/", "version": "1".repeat(101) }), "/version"),
    ] {
        let errors = viewer.post(path, body).await.field_errors();
        assert_eq!(errors.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    }
    app.anonymous().post(path, json!({ "message": "x", "page": "/" })).await.problem(401);
    app.end().await;
}

#[tokio::test]
async fn a_user_may_report_sixty_page_errors_an_hour() {
    let app = TestApp::idle().await;
    let path = "/api/v1/client-errors";
    let (one, other) = (app.session(Role::Viewer).await, app.session(Role::Viewer).await);
    let report = || json!({ "message": "x", "page": "/" });
    let mut written = 0;
    while one.post(path, report()).await.status == 204 {
        written += 1;
    }
    assert!((60..=62).contains(&written), "{written}");
    let answer = one.post(path, report()).await;
    answer.problem(429);
    assert!((1..=60).contains(&answer.header("retry-after").parse::<i64>().unwrap()));
    other.post(path, report()).await.expect(204);
    app.end().await;
}
