use serde_json::json;
use shared_types::Role;

use crate::app::TestApp;

#[tokio::test]
async fn setting_a_password_ends_the_sessions_of_the_user() {
    let app = TestApp::idle().await;
    let (admin, browser) = (app.session(Role::Admin).await, app.session(Role::Viewer).await);
    let me = browser.get("/api/v1/auth/me").await.expect(200);
    let path = format!("/api/v1/users/{}/password", me["id"]);
    let words = admin.post(&path, json!({ "password": "password123" })).await.field_error("/password");
    assert!(words.starts_with("It is too easy to guess. "), "{words}");
    browser.get("/api/v1/auth/me").await.expect(200);
    let password = "seven otters juggle lamps";
    admin.post(&path, json!({ "password": password })).await.expect(204);
    browser.get("/api/v1/auth/me").await.problem(401);
    let login = json!({ "username": me["username"], "password": password });
    app.anonymous().post("/api/v1/auth/login", login).await.expect(200);
    let detail = app.text("SELECT detail::text AS text FROM audit_log WHERE action = 'set_user_password'").await;
    assert!(detail.contains(me["username"].as_str().unwrap()) && !detail.contains("otters"), "{detail}");
    app.end().await;
}
