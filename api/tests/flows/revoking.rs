//! A stream ends when the caller loses the permission to read it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Client, Credentials, Stream, TestApp};

/// How soon a stream must end after the revocation.
const AT_ONCE: Duration = Duration::from_secs(2);

/// One stream of each kind.
const STREAMS: [&str; 3] = ["/api/v1/events", "/api/v1/instances/1/logs/stream", "/api/v1/app-servers/1/logs/stream"];

/// Opens a stream of each kind as `who`.
async fn open(who: &Client) -> Vec<Stream> {
    let mut streams = Vec::new();
    for path in STREAMS {
        streams.push(Stream::open(who, path, None).await);
    }
    streams
}

/// Asserts that each stream ends at once, after the events before the revocation.
async fn ended(streams: Vec<Stream>) {
    let began = Instant::now();
    for mut stream in streams {
        let reading = async { while stream.next().await.is_some() {} };
        assert!(tokio::time::timeout(AT_ONCE, reading).await.is_ok(), "a stream did not end");
    }
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

/// Asserts that new events still arrive.
async fn go_on(app: &TestApp, streams: &mut [Stream]) {
    app.launched(1).await;
    streams[0].next_of("AppServerLaunched").await;
}

async fn story() -> (TestApp, Client) {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    let admin = app.session(Role::Admin).await;
    (app, admin)
}

async fn me(who: &Client) -> Value {
    who.get("/api/v1/auth/me").await.expect(200)
}

#[tokio::test]
async fn streams_end_with_the_session() {
    let (app, other) = story().await;
    let browser = app.session(Role::Viewer).await;
    let (streams, mut others) = (open(&browser).await, open(&other).await);
    browser.post("/api/v1/auth/logout", json!({})).await.expect(204);
    ended(streams).await;
    go_on(&app, &mut others).await;
    app.end().await;
}

#[tokio::test]
async fn streams_end_with_the_token() {
    let (app, browser) = story().await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let body = json!({ "name": "x", "role": "viewer" });
        let made = browser.post("/api/v1/auth/tokens", body).await.expect(201);
        let script = browser.with(Credentials::Token(made["secret"].as_str().unwrap().to_owned()));
        tokens.push((made["id"].clone(), script));
    }
    let (streams, mut others) = (open(&tokens[0].1).await, open(&tokens[1].1).await);
    let mut own = open(&browser).await;
    browser.delete(&format!("/api/v1/auth/tokens/{}", tokens[0].0)).await.expect(204);
    ended(streams).await;
    go_on(&app, &mut others).await;
    own[0].next_of("AppServerLaunched").await;
    app.end().await;
}

#[tokio::test]
async fn streams_end_when_the_user_is_disabled_demoted_or_deleted() {
    let (app, admin) = story().await;
    for body in [Some(json!({ "is_disabled": true })), Some(json!({ "role": "viewer" })), None] {
        for who in [app.session(Role::Operator).await, app.operator().await] {
            let streams = open(&who).await;
            let path = format!("/api/v1/users/{}", me(&who).await["id"]);
            match &body {
                Some(body) => drop(admin.patch(&path, "\"1\"", body.clone()).await.expect(200)),
                None => drop(admin.delete(&path).await.expect(204)),
            }
            ended(streams).await;
        }
    }
    app.end().await;
}

#[tokio::test]
async fn streams_of_sessions_end_when_the_password_is_changed() {
    let (app, admin) = story().await;
    let (browser, script) = (app.session(Role::Viewer).await, app.viewer().await);
    let (streams, mut others) = (open(&browser).await, open(&script).await);
    for who in [&browser, &script] {
        let path = format!("/api/v1/users/{}/password", me(who).await["id"]);
        admin.post(&path, json!({ "password": "seven otters juggle lamps" })).await.expect(204);
    }
    ended(streams).await;
    // A token does not depend on the password.
    go_on(&app, &mut others).await;
    app.end().await;
}

#[tokio::test]
async fn streams_end_when_the_session_or_token_expires() {
    let (app, _) = story().await;
    let (browser, script) = (app.session(Role::Viewer).await, app.viewer().await);
    for table in ["sessions", "api_tokens"] {
        app.execute(&format!("UPDATE {table} SET expires = now() + interval '1 second'")).await;
    }
    let streams = [open(&browser).await, open(&script).await];
    for streams in streams {
        ended(streams).await;
    }
    browser.get("/api/v1/auth/me").await.problem(401);
    app.end().await;
}

#[tokio::test]
async fn streams_end_when_another_process_deletes_the_session() {
    let (app, admin) = story().await;
    let streams = open(&admin).await;
    // As if another process had ended the session.
    app.execute("DELETE FROM sessions").await;
    ended(streams).await;
    app.end().await;
}
