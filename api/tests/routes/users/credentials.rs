//! Sessions and API tokens of other users, as administrators see and end them.

use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Client, TestApp};

/// The path of the user behind a client.
async fn path_of(who: &Client) -> String {
    format!("/api/v1/users/{}", who.get("/api/v1/auth/me").await.expect(200)["id"])
}

async fn items(admin: &Client, path: &str) -> Vec<Value> {
    admin.get(path).await.expect(200)["items"].as_array().unwrap().clone()
}

/// The details of all done actions with this name, oldest first.
async fn details(app: &TestApp, action: &str) -> Vec<String> {
    let lines = format!(
        "SELECT coalesce(string_agg(detail::text, '\n' ORDER BY id), '') AS text FROM audit_log \
         WHERE action = '{action}' AND outcome = 'done'"
    );
    app.text(&lines).await.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_administrator_lists_and_ends_a_session_of_a_user() {
    let app = TestApp::idle().await;
    let (admin, ada, other) =
        (app.session(Role::Admin).await, app.session(Role::Operator).await, app.session(Role::Viewer).await);
    let path = path_of(&ada).await;
    let listed = items(&admin, &format!("{path}/sessions")).await;
    assert_eq!((listed.len(), &listed[0]["is_current"]), (1, &json!(false)));
    let own = items(&admin, &format!("{}/sessions", path_of(&admin).await)).await;
    assert_eq!(own[0]["is_current"], true, "the administrator's own session is this one");
    let theirs = items(&admin, &format!("{}/sessions", path_of(&other).await)).await[0]["id"].clone();
    let words = admin.delete(&format!("{path}/sessions/{theirs}")).await.problem(404)["detail"].clone();
    assert!(words.as_str().unwrap().ends_with(&format!(" has no session {theirs}.")), "{words}");
    let session = &listed[0]["id"];
    admin.delete(&format!("{path}/sessions/{session}")).await.expect(204);
    ada.get("/api/v1/auth/me").await.problem(401);
    other.get("/api/v1/auth/me").await.expect(200);
    admin.delete(&format!("{path}/sessions/{session}")).await.problem(404);
    let [detail] = <[String; 1]>::try_from(details(&app, "end_user_session").await).unwrap();
    assert!(detail.contains(&format!("\"session\": {session}")) && detail.contains("\"username\""), "{detail}");
    app.end().await;
}

#[tokio::test]
async fn an_administrator_ends_all_sessions_of_a_user() {
    let app = TestApp::idle().await;
    let (admin, ada) = (app.session(Role::Admin).await, app.session(Role::Operator).await);
    let path = path_of(&ada).await;
    admin.delete(&format!("{path}/sessions")).await.expect(204);
    ada.get("/api/v1/auth/me").await.problem(401);
    assert_eq!(items(&admin, &format!("{path}/sessions")).await, Vec::<Value>::new());
    assert!(details(&app, "end_user_sessions").await[0].contains("\"sessions\": 1"));
    app.end().await;
}

#[tokio::test]
async fn an_administrator_lists_and_revokes_api_tokens_of_a_user() {
    let app = TestApp::idle().await;
    let (admin, ada) = (app.session(Role::Admin).await, app.session(Role::Operator).await);
    let path = path_of(&ada).await;
    let mut tokens = Vec::new();
    for name in ["nightly", "weekly", "yearly"] {
        let new = json!({ "name": name, "role": "viewer" });
        let made = ada.post("/api/v1/auth/tokens", new).await.expect(201);
        let secret = made["secret"].as_str().unwrap().to_owned();
        tokens.push((made["id"].clone(), ada.with(crate::app::Credentials::Token(secret))));
    }
    let listed = items(&admin, &format!("{path}/tokens")).await;
    assert_eq!(
        listed.iter().map(|one| one["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["yearly", "weekly", "nightly"]
    );
    assert!(listed.iter().all(|one| one.get("secret").is_none()));
    let (id, nightly) = &tokens[0];
    let wrong = format!("{}/tokens/{id}", path_of(&admin).await);
    admin.delete(&wrong).await.problem(404);
    nightly.get("/api/v1/auth/me").await.expect(200);
    admin.delete(&format!("{path}/tokens/{id}")).await.expect(204);
    nightly.get("/api/v1/auth/me").await.problem(401);
    admin.delete(&format!("{path}/tokens/{id}")).await.problem(404);
    tokens[1].1.get("/api/v1/auth/me").await.expect(200);
    admin.delete(&format!("{path}/tokens")).await.expect(204);
    for (_, token) in &tokens {
        token.get("/api/v1/auth/me").await.problem(401);
    }
    ada.get("/api/v1/auth/me").await.expect(200);
    assert!(details(&app, "delete_user_token").await[0].contains("\"name\": \"nightly\""));
    assert!(details(&app, "delete_user_tokens").await[0].contains("\"tokens\": 2"));
    app.end().await;
}

#[tokio::test]
async fn setting_a_password_revokes_api_tokens_if_asked_to() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let token = app.operator().await;
    let path = format!("{}/password", path_of(&token).await);
    admin.post(&path, json!({ "password": "seven otters juggle lamps" })).await.expect(204);
    token.get("/api/v1/auth/me").await.expect(200);
    let body = json!({ "password": "eight otters juggle lamps", "revoke_tokens": true });
    admin.post(&path, body).await.expect(204);
    token.get("/api/v1/auth/me").await.problem(401);
    assert!(details(&app, "set_user_password").await[1].contains("\"tokens\": 1"));
    app.end().await;
}
