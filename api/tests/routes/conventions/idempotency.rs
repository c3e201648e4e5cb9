use std::time::Duration;

use diesel_async::AsyncConnection;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Answer, Client, Credentials, TestApp, until};

const LAUNCH: &str = "/api/v1/instances/1/app-servers";

async fn post(client: &Client, path: &str, key: &str, body: Value) -> Answer {
    Answer::to(client.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
}

async fn launched(app: &TestApp) -> i64 {
    app.number("SELECT count(*) AS n FROM app_servers").await
}

#[tokio::test]
async fn a_repeated_idempotency_key_starts_nothing_twice() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let first = post(&operator, LAUNCH, "a", json!({ "reason": "once" })).await;
    let made = first.expect(202);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = post(&operator, LAUNCH, "a", json!({ "reason": "once" })).await;
    assert_eq!(again.expect(202), made);
    assert_eq!((again.header("idempotency-replayed"), again.header("location")), ("true", first.header("location")));
    assert_eq!(launched(&app).await, 1);
    // Another key, or another caller's same key, is another request.
    post(&operator, LAUNCH, "b", json!({ "reason": "once" })).await.expect(202);
    post(&app.operator().await, LAUNCH, "a", json!({ "reason": "once" })).await.expect(202);
    assert_eq!(launched(&app).await, 3);
    app.end().await;
}

#[tokio::test]
async fn an_idempotency_key_is_refused_for_another_request() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    app.instance("other").await;
    let operator = app.operator().await;
    post(&operator, LAUNCH, "a", json!({})).await.expect(202);
    for (path, body) in [(LAUNCH, json!({ "reason": "x" })), ("/api/v1/instances/2/app-servers", json!({}))] {
        let problem = post(&operator, path, "a", body).await.problem(422);
        assert!(problem["detail"].as_str().unwrap().contains("another request"), "{problem}");
    }
    for key in ["", &"k".repeat(256), "ümlaut"] {
        post(&operator, LAUNCH, key, json!({})).await.problem(400);
    }
    post(&operator, LAUNCH, &"k".repeat(255), json!({})).await.expect(202);
    assert_eq!(launched(&app).await, 2);
    app.end().await;
}

#[tokio::test]
async fn refusals_are_replayed_except_missing_permissions() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let refused = post(&operator, LAUNCH, "a", json!({ "num_attempts": 0 })).await.problem(422);
    let again = post(&operator, LAUNCH, "a", json!({ "num_attempts": 0 })).await;
    assert_eq!(serde_json::from_str::<Value>(&again.body).unwrap(), refused, "with the first request's id");
    assert_eq!(again.header("idempotency-replayed"), "true");

    // A request that was refused for the role may be repeated once the role suffices.
    let person = app.session(Role::Viewer).await;
    post(&person, LAUNCH, "b", json!({})).await.problem(403);
    app.execute("UPDATE users SET role = 'operator' WHERE role = 'viewer'").await;
    post(&person, LAUNCH, "b", json!({})).await.expect(202);
    // Without authentication, no key is stored.
    post(&app.anonymous(), LAUNCH, "c", json!({})).await.problem(401);
    assert_eq!(app.number("SELECT count(*) AS n FROM idempotency_keys").await, 2);
    app.end().await;
}

#[tokio::test]
async fn an_answer_is_given_again_only_to_the_same_rights() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let browser = app.session(Role::Admin).await;
    let token = async |role: &str, scopes: Value| {
        let new = json!({ "name": "x", "role": role, "scopes": scopes });
        let made = browser.post("/api/v1/auth/tokens", new).await.expect(201);
        browser.with(Credentials::Token(made["secret"].as_str().unwrap().to_owned()))
    };
    let (deploys, reads) = (token("operator", json!(["deploy"])).await, token("admin", json!(["read"])).await);
    let body = || json!({ "reason": "once" });
    post(&deploys, LAUNCH, "a", body()).await.expect(202);
    assert_eq!(post(&deploys, LAUNCH, "a", body()).await.header("idempotency-replayed"), "true");
    let refused = post(&reads, LAUNCH, "a", body()).await;
    assert_eq!(refused.problem(403)["detail"], "This needs a token with the scope deploy.");
    let other = post(&browser, LAUNCH, "a", body()).await.problem(422);
    assert!(other["detail"].as_str().unwrap().contains("with other rights"), "{other}");
    // From another site, and after the user was demoted.
    post(&browser, LAUNCH, "b", body()).await.expect(202);
    let request =
        browser.request(Method::POST, LAUNCH).header("idempotency-key", "b").header("sec-fetch-site", "cross-site");
    Answer::to(request.json(&body())).await.problem(403);
    app.execute("UPDATE users SET role = 'viewer'").await;
    post(&browser, LAUNCH, "b", body()).await.problem(403);
    post(&deploys, LAUNCH, "a", body()).await.problem(403);
    assert_eq!(launched(&app).await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_retry_after_a_disconnect_gets_the_first_result() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let mut conn = app.conn().await;
    conn.transaction(async |conn| {
        diesel_async::RunQueryDsl::execute(diesel::sql_query("SELECT 1 FROM instances FOR UPDATE"), conn).await?;
        let request = operator.request(Method::POST, LAUNCH).header("idempotency-key", "a").json(&json!({}));
        assert!(request.timeout(Duration::from_millis(300)).send().await.unwrap_err().is_timeout());
        let answer = post(&operator, LAUNCH, "a", json!({})).await;
        assert!(answer.problem(409)["detail"].as_str().unwrap().contains("is being answered"));
        assert_eq!(answer.header("retry-after"), "1");
        Ok::<_, diesel::result::Error>(())
    })
    .await
    .unwrap();
    until("the launch is answered", async || post(&operator, LAUNCH, "a", json!({})).await.status == 202).await;
    assert_eq!(launched(&app).await, 1);
    app.end().await;
}

#[tokio::test]
async fn idempotency_keys_expire_after_a_day() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    post(&operator, LAUNCH, "a", json!({})).await.expect(202);
    app.execute("UPDATE idempotency_keys SET created = now() - interval '23 hours'").await;
    ocim::worker::housekeeping::sweep(&app.manager).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM idempotency_keys").await, 1);
    app.execute("UPDATE idempotency_keys SET created = now() - interval '25 hours'").await;
    ocim::worker::housekeeping::sweep(&app.manager).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM idempotency_keys").await, 0);
    app.end().await;
}
