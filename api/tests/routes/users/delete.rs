use shared_types::Role;

use crate::app::TestApp;

#[tokio::test]
async fn deleting_a_user_ends_their_sessions_and_tokens() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    for who in [app.session(Role::Operator).await, app.operator().await] {
        let id = who.get("/api/v1/auth/me").await.expect(200)["id"].clone();
        let path = format!("/api/v1/users/{id}");
        admin.delete(&path).await.expect(204);
        who.get("/api/v1/auth/me").await.problem(401);
        admin.get(&path).await.problem(404);
        admin.delete(&path).await.problem(404);
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM api_tokens").await, 0);
    assert_eq!(
        app.number("SELECT count(*) AS n FROM audit_log WHERE action = 'delete_user' AND outcome = 'done'").await,
        2
    );
    app.end().await;
}
