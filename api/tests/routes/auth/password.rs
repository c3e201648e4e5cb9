//! Changing one's own password.

use serde_json::json;
use shared_types::Role;

use crate::app::{Client, Credentials, TestApp};

const PATH: &str = "/api/v1/auth/password";
const OLD: &str = "correct horse battery staple";
const NEW: &str = "seven otters juggle lamps";

/// A user with a known password, signed in twice.
async fn ada(app: &TestApp) -> [Client; 2] {
    let hash = ocim::platform::users::passwords::hash(OLD.to_owned()).await.unwrap();
    assert!(ocim::platform::users::store::insert(&mut *app.conn().await, "ada", &hash, Role::Viewer).await.unwrap());
    [sign_in(app).await, sign_in(app).await]
}

async fn sign_in(app: &TestApp) -> Client {
    let answer = app.anonymous().post("/api/v1/auth/login", json!({ "username": "ada", "password": OLD })).await;
    answer.expect(200);
    app.anonymous().with(cookie(answer.header("set-cookie")))
}

fn cookie(header: &str) -> Credentials {
    Credentials::Cookie(header.split(['=', ';']).nth(1).unwrap().to_owned())
}

#[tokio::test]
async fn a_password_change_ends_all_sessions_and_renews_the_own_cookie() {
    let app = TestApp::idle().await;
    let [here, there] = ada(&app).await;
    let answer = here.post(PATH, json!({ "current": OLD, "new": NEW })).await;
    answer.expect(204);
    assert!(answer.header("set-cookie").contains("HttpOnly; SameSite=Lax"), "{}", answer.header("set-cookie"));
    for old in [&here, &there] {
        old.get("/api/v1/auth/me").await.problem(401);
    }
    here.with(cookie(answer.header("set-cookie"))).get("/api/v1/auth/me").await.expect(200);
    let anonymous = app.anonymous();
    anonymous.post("/api/v1/auth/login", json!({ "username": "ada", "password": OLD })).await.problem(401);
    anonymous.post("/api/v1/auth/login", json!({ "username": "ada", "password": NEW })).await.expect(200);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'change_password' AND outcome = 'done'";
    assert_eq!(app.number(audited).await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_wrong_or_weak_password_changes_nothing() {
    let app = TestApp::idle().await;
    let [here, there] = ada(&app).await;
    let wrong = here.post(PATH, json!({ "current": "a guess", "new": NEW })).await;
    assert_eq!(wrong.field_error("/current"), "This is not your password.");
    let weak = here.post(PATH, json!({ "current": OLD, "new": "ada ada ada" })).await.field_error("/new");
    assert!(weak.starts_with("It is too easy to guess. "), "{weak}");
    let same = here.post(PATH, json!({ "current": OLD, "new": OLD })).await.field_error("/new");
    assert_eq!(same, "This is your password already.");
    for browser in [here, there] {
        browser.get("/api/v1/auth/me").await.expect(200);
    }
    let refused = "SELECT count(*) AS n FROM audit_log WHERE action = 'change_password' AND outcome = 'refused' \
        AND reason LIKE '%/current: This is not your password.'";
    assert_eq!(app.number(refused).await, 1);
    app.end().await;
}

#[tokio::test]
async fn guesses_of_the_current_password_are_slowed_down() {
    let app = TestApp::idle().await;
    let [here, _] = ada(&app).await;
    for _ in 0..5 {
        here.post(PATH, json!({ "current": "a guess", "new": NEW })).await.problem(422);
    }
    let later = here.post(PATH, json!({ "current": OLD, "new": NEW })).await;
    later.problem(429);
    assert!(!later.header("retry-after").is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_password_change_needs_a_password_and_a_session() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Viewer).await;
    app.execute("UPDATE users SET password_hash = NULL").await;
    let problem = browser.post(PATH, json!({ "current": "", "new": NEW })).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with("You have no password here"), "{problem}");
    app.operator().await.post(PATH, json!({ "current": OLD, "new": NEW })).await.problem(403);
    app.end().await;
}
