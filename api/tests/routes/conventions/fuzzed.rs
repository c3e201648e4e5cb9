//! Regressions that the fuzzer (script/fuzz-api) found.

use reqwest::Method;
use serde_json::json;
use shared_types::Role;

use crate::app::{Answer, TestApp};

#[tokio::test]
async fn an_id_in_a_query_or_a_body_is_one_or_more() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let admin = app.person(Role::Admin).await;
    for path in ["/api/v1/logs?instance=0", "/api/v1/activity?app_server=-1", "/api/v1/app-servers?instance=-7"] {
        admin.get(path).await.problem(400);
    }
    let path = format!("/api/v1/instances/{instance}/rollback");
    let answer = admin.post(&path, json!({ "app_server_id": 0 })).await;
    assert_eq!(answer.field_error("/app_server_id"), "an id is 1 or more");
    app.end().await;
}

#[tokio::test]
async fn the_text_of_a_parameter_has_a_limit_and_no_null_character() {
    let app = TestApp::idle().await;
    let admin = app.person(Role::Admin).await;
    for name in ["activity?actor", "activity?action", "instances?instance_type", "instances?q"] {
        admin.get(&format!("/api/v1/{name}={}", "ü".repeat(200))).await.expect(200);
        for wrong in ["x".repeat(201), "a%00b".to_owned()] {
            let problem = admin.get(&format!("/api/v1/{name}={wrong}")).await.problem(400);
            assert!(problem["detail"].as_str().unwrap().contains("200 characters"), "{name}: {problem}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_word_that_is_a_path_of_its_own_names_its_methods() {
    let app = TestApp::idle().await;
    let admin = app.person(Role::Admin).await;
    let answer = admin.delete("/api/v1/auth/tokens/current").await;
    answer.problem(405);
    assert_eq!(answer.header("allow"), "GET");
    admin.delete("/api/v1/auth/tokens/other").await.problem(404);
    app.end().await;
}

#[tokio::test]
async fn health_accepts_only_get_and_pages_only_get_and_head() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    // HEAD was once answered with the page, which reported “ready” for a program that was not.
    for method in [Method::HEAD, Method::TRACE, Method::POST] {
        for (path, allowed) in [("/healthz", "GET"), ("/readyz", "GET")] {
            let answer = Answer::to(anonymous.request(method.clone(), path)).await;
            assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, allowed), "{method} {path}");
        }
    }
    let answer = Answer::to(anonymous.request(Method::TRACE, "/instances")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"));
    app.end().await;
}

#[tokio::test]
async fn a_token_names_no_more_scopes_than_there_are() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    let token = json!({ "name": "x", "role": "admin", "scopes": ["read", "read", "read", "read", "read"] });
    assert_eq!(admin.post("/api/v1/auth/tokens", token).await.field_error("/scopes"), "Name 4 at most.");
    app.end().await;
}

#[tokio::test]
async fn an_overlong_user_name_is_not_cut_to_another_users_name() {
    let app = TestApp::idle().await;
    let admin = app.person(Role::Admin).await;
    let (name, password) = ("a".repeat(150), "seven otters juggle lamps");
    let user = json!({ "username": name, "password": password, "role": "viewer" });
    admin.post("/api/v1/users", user).await.expect(201);
    let login = async |username: &str| {
        app.anonymous().post("/api/v1/auth/login", json!({ "username": username, "password": password })).await
    };
    login(&name).await.expect(200);
    login(&format!("{name}a")).await.problem(401);
    app.end().await;
}
