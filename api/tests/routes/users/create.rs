use serde_json::json;
use shared_types::Role;

use crate::app::TestApp;

const PATH: &str = "/api/v1/users";
const PASSWORD: &str = "seven otters juggle lamps";

#[tokio::test]
async fn a_new_user_can_sign_in() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let answer = admin.post(PATH, json!({ "username": " ada ", "password": PASSWORD, "role": "operator" })).await;
    insta::assert_json_snapshot!(answer.expect(201), { ".created" => "[time]" }, @r#"
    {
      "id": 2,
      "username": "ada",
      "role": "operator",
      "is_disabled": false,
      "has_password": true,
      "created": "[time]",
      "last_login": null,
      "etag": "\"1\""
    }
    "#);
    assert_eq!((answer.header("location"), answer.header("etag")), ("/api/v1/users/2", "\"1\""));
    let login = json!({ "username": "ada", "password": PASSWORD });
    app.anonymous().post("/api/v1/auth/login", login).await.expect(200);
    let read = admin.get("/api/v1/users/2").await.expect(200);
    assert!(read["last_login"].is_string(), "{read}");
    let audited = "SELECT detail::text AS text FROM audit_log WHERE action = 'create_user'";
    assert_eq!(app.text(audited).await, r#"{"role": "operator", "user": 2, "username": "ada"}"#);
    app.end().await;
}

#[tokio::test]
async fn a_user_without_a_password_cannot_sign_in() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let made = admin.post(PATH, json!({ "username": "ada", "role": "viewer" })).await.expect(201);
    assert_eq!(made["has_password"], false);
    for password in ["", "a guess"] {
        let login = json!({ "username": "ada", "password": password });
        app.anonymous().post("/api/v1/auth/login", login).await.problem(401);
    }
    app.end().await;
}

#[tokio::test]
async fn invalid_and_taken_user_names_are_refused() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let too_long = "x".repeat(151);
    let names = ["", "  ", &too_long, "a\nda", "a\u{0}da", "a\u{7f}da", "ad\u{202e}a", "a\u{200b}da"];
    for name in names {
        let words = admin.post(PATH, json!({ "username": name, "role": "viewer" })).await.field_error("/username");
        assert!(words.starts_with("M"), "{name:?}: {words}");
    }
    admin.post(PATH, json!({ "username": "ada", "role": "viewer" })).await.expect(201);
    let words = admin.post(PATH, json!({ "username": "ada", "role": "viewer" })).await.field_error("/username");
    assert_eq!(words, "There is a user ada already; choose another name.");
    assert_eq!(app.number("SELECT count(*) AS n FROM users").await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_weak_password_is_refused_with_what_would_be_better() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let long = "x".repeat(1025);
    for weak in ["", "short", "password123", "ada.lovelace1", "opencraft-ocim", &long] {
        let body = json!({ "username": "ada.lovelace", "password": weak, "role": "viewer" });
        let words = admin.post(PATH, body).await.field_error("/password");
        assert!(words.starts_with("It has") || words.starts_with("It is too easy to guess. "), "{weak}: {words}");
    }
    for body in [json!({ "username": "x", "role": "king" }), json!({ "username": "x" })] {
        admin.post(PATH, body).await.problem(422);
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM users").await, 1);
    app.end().await;
}
