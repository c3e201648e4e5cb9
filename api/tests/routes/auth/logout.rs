use reqwest::Method;
use serde_json::json;
use shared_types::Role;

use crate::app::{Answer, TestApp};

const PATH: &str = "/api/v1/auth/logout";

#[tokio::test]
async fn logout_ends_the_session_and_clears_its_cookie() {
    let app = TestApp::idle().await;
    let (browser, other) = (app.session(Role::Viewer).await, app.session(Role::Viewer).await);
    let request = browser.request(Method::POST, PATH).header("sec-fetch-site", "same-origin");
    let answer = Answer::to(request).await;
    answer.expect(204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{}", answer.header("set-cookie"));
    browser.get("/api/v1/auth/me").await.problem(401);
    other.get("/api/v1/auth/me").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn logout_does_not_revoke_a_token() {
    let app = TestApp::idle().await;
    let script = app.viewer().await;
    script.post(PATH, json!({})).await.expect(204);
    script.get("/api/v1/auth/me").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn logout_is_accepted_from_our_own_origin() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Viewer).await;
    let own = browser.base().to_owned();
    Answer::to(browser.request(Method::POST, PATH).header("origin", own)).await.expect(204);
    app.end().await;
}
