use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v1/users";

/// The path of the client's own user.
async fn path(who: &Client) -> String {
    format!("{PATH}/{}", who.get("/api/v1/auth/me").await.expect(200)["id"])
}

#[tokio::test]
async fn disabling_a_user_ends_access_and_enabling_restores_it() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let (browser, script) = (app.session(Role::Operator).await, app.operator().await);
    for who in [&browser, &script] {
        let path = path(who).await;
        let answer = admin.patch(&path, "\"1\"", json!({ "is_disabled": true })).await;
        assert_eq!((&answer.expect(200)["is_disabled"], answer.header("etag")), (&json!(true), "\"2\""));
        who.get("/api/v1/auth/me").await.problem(401);
        admin.patch(&path, "\"2\"", json!({ "is_disabled": false })).await.expect(200);
    }
    browser.get("/api/v1/auth/me").await.problem(401);
    script.get("/api/v1/auth/me").await.expect(200);
    let audited = "SELECT before::text || ' ' || after::text AS text FROM audit_log WHERE action = 'update_user' \
        ORDER BY id LIMIT 1";
    let expected = r#"{"role": "operator", "is_disabled": false} {"role": "operator", "is_disabled": true}"#;
    assert_eq!(app.text(audited).await, expected);
    app.end().await;
}

#[tokio::test]
async fn demoting_a_user_ends_sessions_and_promoting_does_not() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let (down, up) = (app.session(Role::Operator).await, app.session(Role::Viewer).await);
    let (down_path, up_path) = (path(&down).await, path(&up).await);
    admin.patch(&down_path, "\"1\"", json!({ "role": "viewer" })).await.expect(200);
    down.get("/api/v1/auth/me").await.problem(401);
    admin.patch(&up_path, "\"1\"", json!({ "role": "operator" })).await.expect(200);
    assert_eq!(up.get("/api/v1/auth/me").await.expect(200)["role"], "operator");
    app.end().await;
}

#[tokio::test]
async fn a_user_update_needs_the_current_version() {
    let app = TestApp::idle().await;
    let (admin, other) = (app.session(Role::Admin).await, app.session(Role::Viewer).await);
    let path = path(&other).await;
    let bare = admin.request(reqwest::Method::PATCH, &path).json(&json!({ "role": "admin" }));
    crate::app::Answer::to(bare).await.problem(428);
    for stale in ["\"2\"", "W/\"3\"", "nonsense"] {
        admin.patch(&path, stale, json!({ "role": "admin" })).await.problem(412);
    }
    let same = admin.patch(&path, "\"1\"", json!({ "role": "viewer", "is_disabled": false })).await.expect(200);
    assert_eq!(same["etag"], "\"1\"");
    let empty = admin.patch(&path, "\"1\"", json!({})).await.expect(200);
    assert_eq!(empty, admin.get(&path).await.expect(200));
    other.get("/api/v1/auth/me").await.expect(200);
    assert_eq!(
        app.number("SELECT count(*) AS n FROM audit_log WHERE action = 'update_user' AND outcome = 'done'").await,
        0
    );
    app.end().await;
}

#[tokio::test]
async fn the_last_administrator_cannot_be_demoted_disabled_or_deleted() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let path = path(&admin).await;
    let refused: [Value; 3] =
        [json!({ "role": "operator" }), json!({ "is_disabled": true }), json!({ "role": "viewer" })];
    for body in refused {
        let problem = admin.patch(&path, "\"1\"", body).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("last administrator"), "{problem}");
    }
    admin.delete(&path).await.problem(409);
    // A disabled administrator does not count.
    let other = app.session(Role::Admin).await;
    let other_path = self::path(&other).await;
    admin.patch(&other_path, "\"1\"", json!({ "is_disabled": true })).await.expect(200);
    admin.patch(&path, "\"1\"", json!({ "role": "viewer" })).await.problem(409);
    admin.patch(&other_path, "\"2\"", json!({ "is_disabled": false })).await.expect(200);
    admin.patch(&path, "\"1\"", json!({ "role": "viewer" })).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn two_administrators_cannot_remove_each_other_at_once() {
    let app = TestApp::idle().await;
    for _ in 0..5 {
        app.execute("DELETE FROM users").await;
        let (one, other) = (app.session(Role::Admin).await, app.session(Role::Admin).await);
        let (one_path, other_path) = (path(&one).await, path(&other).await);
        let (first, second) =
            tokio::join!(one.patch(&other_path, "\"1\"", json!({ "role": "viewer" })), other.delete(&one_path));
        // The second request comes from a user who is no administrator any more, or is told that they are the last one.
        let done = [first.status.as_u16() == 200, second.status.as_u16() == 204];
        assert_eq!(done.iter().filter(|done| **done).count(), 1, "{first:?} {second:?}");
        let left = "SELECT count(*) AS n FROM users WHERE role = 'admin' AND disabled_at IS NULL";
        assert_eq!(app.number(left).await, 1);
    }
    app.end().await;
}
