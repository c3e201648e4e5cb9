//! Creating, listing and revoking API tokens.

use diesel_async::RunQueryDsl;
use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Client, Credentials, TestApp};

const PATH: &str = "/api/v1/auth/tokens";

/// Creates a token; gives its id and a client that uses it.
async fn make(browser: &Client, role: &str) -> (i64, Client) {
    let made = browser.post(PATH, json!({ "name": "nightly", "role": role })).await.expect(201);
    let secret = made["secret"].as_str().unwrap().to_owned();
    (made["id"].as_i64().unwrap(), browser.with(Credentials::Token(secret)))
}

#[tokio::test]
async fn the_secret_of_a_token_is_shown_once() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Operator).await;
    let made =
        browser.post(PATH, json!({ "name": " nightly ", "role": "viewer", "expires_in_days": 7 })).await.expect(201);
    insta::assert_json_snapshot!(made, { ".created" => "[time]", ".expires" => "[time]", ".secret" => "[secret]" }, @r#"
    {
      "id": 1,
      "name": "nightly",
      "role": "viewer",
      "scopes": [
        "read"
      ],
      "created": "[time]",
      "expires": "[time]",
      "last_used": null,
      "secret": "[secret]"
    }
    "#);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 64);
    let listed = browser.get(PATH).await;
    assert_eq!(listed.expect(200)["items"].as_array().unwrap().len(), 1);
    assert!(!listed.body.contains(secret));
    let in_clear = format!("SELECT count(*) AS n FROM api_tokens WHERE token_hash = '\\x{secret}'");
    assert_eq!(app.number(&in_clear).await, 0);
    assert_eq!(app.number("SELECT count(*) AS n FROM audit_log WHERE action = 'create_token'").await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_token_has_the_permissions_of_its_role_and_its_use_is_recorded() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Admin).await;
    let (id, viewer) = make(&browser, "viewer").await;
    viewer.get("/api/v1/instances").await.expect(200);
    viewer.post("/api/v1/instances", json!({ "name": "x", "sub_domain": "x" })).await.problem(403);
    let listed = browser.get(PATH).await.expect(200);
    assert_ne!(listed["items"][0]["last_used"], Value::Null);
    let (_, operator) = make(&browser, "operator").await;
    operator.post("/api/v1/instances", json!({ "name": "x", "sub_domain": "x" })).await.expect(201);
    let actor =
        format!("SELECT count(*) AS n FROM audit_log WHERE actor LIKE '%(token «nightly»)' AND instance_id = {id}");
    assert_eq!(app.number(&actor).await, 1, "the audit log names the token");
    app.end().await;
}

#[tokio::test]
async fn a_token_never_exceeds_the_current_role_of_its_owner() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Operator).await;
    let (_, script) = make(&browser, "operator").await;
    let demoted = diesel::sql_query("UPDATE users SET role = 'viewer'");
    demoted.execute(&mut app.conn().await).await.unwrap();
    script.post("/api/v1/instances", json!({ "name": "x", "sub_domain": "x" })).await.problem(403);
    app.end().await;
}

#[tokio::test]
async fn a_token_stops_working_when_it_expires_or_is_revoked() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Viewer).await;
    let (id, gone) = make(&browser, "viewer").await;
    let (_, expired) = make(&browser, "viewer").await;
    browser.delete(&format!("{PATH}/{id}")).await.expect(204);
    gone.get("/api/v1/instances").await.problem(401);
    browser.delete(&format!("{PATH}/{id}")).await.problem(404);
    expired.get("/api/v1/instances").await.expect(200);
    let end = diesel::sql_query("UPDATE api_tokens SET expires = now()");
    end.execute(&mut app.conn().await).await.unwrap();
    expired.get("/api/v1/instances").await.problem(401);
    assert_eq!(
        app.number("SELECT count(*) AS n FROM audit_log WHERE action = 'delete_token' AND outcome = 'done'").await,
        1
    );
    app.end().await;
}

#[tokio::test]
async fn a_user_cannot_revoke_the_token_of_another_user() {
    let app = TestApp::idle().await;
    let (id, script) = make(&app.session(Role::Viewer).await, "viewer").await;
    let admin = app.session(Role::Admin).await;
    admin.delete(&format!("{PATH}/{id}")).await.problem(404);
    assert_eq!(admin.get(PATH).await.expect(200)["items"], json!([]));
    script.get("/api/v1/instances").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_token_cannot_create_tokens() {
    let app = TestApp::idle().await;
    let problem = app.operator().await.post(PATH, json!({ "name": "x", "role": "viewer" })).await.problem(403);
    assert_eq!(problem["detail"], "A token cannot do this; sign in with a password.");
    app.end().await;
}

#[tokio::test]
async fn creating_a_token_names_every_invalid_field() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Operator).await;
    let body = json!({ "name": " ", "role": "admin", "expires_in_days": 366 });
    let errors = browser.post(PATH, body).await.field_errors();
    let pointers: Vec<&str> = errors.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/name", "/role", "/expires_in_days"]);
    assert_eq!(browser.post(PATH, json!({ "name": "x", "role": "king" })).await.field_errors()[0].0, "/role");
    assert_eq!(browser.get(PATH).await.expect(200)["items"], json!([]), "nothing was made");
    app.end().await;
}

#[tokio::test]
async fn a_token_reads_itself_and_a_session_has_none() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Operator).await;
    let (id, script) = make(&browser, "operator").await;
    let read = script.get("/api/v1/auth/tokens/current").await.expect(200);
    assert_eq!((&read["id"], &read["name"], &read["role"]), (&json!(id), &json!("nightly"), &json!("operator")));
    assert_eq!(read["scopes"], json!(["read", "deploy", "activate"]));
    assert!(read["expires"].is_string() && read.get("secret").is_none(), "{read}");
    browser.get("/api/v1/auth/tokens/current").await.problem(404);
    let other = make(&browser, "viewer").await.0;
    script.delete(&format!("{PATH}/{other}")).await.problem(404);
    script.delete(&format!("{PATH}/{id}")).await.expect(204);
    script.get("/api/v1/auth/me").await.problem(401);
    app.end().await;
}

#[tokio::test]
async fn a_user_may_have_fifty_tokens_that_have_not_expired() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Operator).await;
    for _ in 0..50 {
        make(&browser, "viewer").await;
    }
    let problem = browser.post(PATH, json!({ "name": "one more", "role": "viewer" })).await.problem(409);
    let words =
        "You have 50 API tokens, and may not have more; revoke one that is not needed, or wait until one expires.";
    assert_eq!(problem["detail"], words);
    // Those of another user do not count, and neither do expired ones.
    make(&app.session(Role::Operator).await, "viewer").await;
    let expire = "UPDATE api_tokens SET expires = now() - interval '1 second' WHERE id = 1";
    diesel::sql_query(expire).execute(&mut app.conn().await).await.unwrap();
    make(&browser, "viewer").await;
    app.end().await;
}
