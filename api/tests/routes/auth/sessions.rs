//! Listing and ending one's own sessions.

use ocim::platform::users::store;
use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{Answer, Client, Credentials, TestApp};

const PATH: &str = "/api/v1/auth/sessions";
const PASSWORD: &str = "correct horse battery staple";

/// Adds a user with a known password.
async fn add_user(app: &TestApp) {
    let hash = ocim::platform::users::passwords::hash(PASSWORD.to_owned()).await.unwrap();
    assert!(store::insert(&mut *app.conn().await, "ada", &hash, Role::Viewer).await.unwrap());
}

/// Signs in with this `User-Agent`.
async fn sign_in(from: &Client, browser: &str) -> Client {
    let request = from.request(reqwest::Method::POST, "/api/v1/auth/login").header("user-agent", browser);
    let answer = Answer::to(request.json(&json!({ "username": "ada", "password": PASSWORD }))).await;
    answer.expect(200);
    let secret = answer.header("set-cookie").split(['=', ';']).nth(1).unwrap().to_owned();
    from.with(Credentials::Cookie(secret))
}

async fn sessions(browser: &Client) -> Vec<Value> {
    browser.get(PATH).await.expect(200)["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn sessions_show_their_origin_and_which_is_the_current_one() {
    let app = TestApp::idle().await;
    add_user(&app).await;
    let first = sign_in(&app.anonymous(), "Netscape").await;
    sign_in(&app.anonymous(), &"long ".repeat(100)).await;
    app.session(Role::Admin).await;
    let listed = sessions(&first).await;
    insta::assert_json_snapshot!(listed[1], { ".created" => "[t]", ".last_seen" => "[t]", ".expires" => "[t]" }, @r#"
    {
      "id": 1,
      "created": "[t]",
      "last_seen": "[t]",
      "expires": "[t]",
      "address": "127.0.0.1",
      "user_agent": "Netscape",
      "is_current": true
    }
    "#);
    assert_eq!((listed.len(), &listed[0]["is_current"]), (2, &json!(false)));
    assert_eq!(listed[0]["user_agent"].as_str().unwrap().len(), 300);
    app.end().await;
}

#[tokio::test]
async fn the_use_of_a_session_is_recorded_to_the_minute() {
    let app = TestApp::idle().await;
    add_user(&app).await;
    let browser = sign_in(&app.anonymous(), "Netscape").await;
    let seen = "SELECT last_seen::text AS text FROM sessions";
    let at_first = app.text(seen).await;
    browser.get("/api/v1/auth/me").await.expect(200);
    assert_eq!(app.text(seen).await, at_first);
    app.execute("UPDATE sessions SET last_seen = now() - interval '61 seconds', address = '192.0.2.7'").await;
    browser.get("/api/v1/auth/me").await.expect(200);
    assert!(app.text(seen).await > at_first);
    assert_eq!(app.text("SELECT address AS text FROM sessions").await, "127.0.0.1");
    app.end().await;
}

#[tokio::test]
async fn a_session_can_read_while_the_database_is_read_only() {
    let app = TestApp::idle().await;
    add_user(&app).await;
    let Credentials::Cookie(secret) = sign_in(&app.anonymous(), "Netscape").await.credentials().clone() else {
        panic!("a browser has a cookie");
    };
    app.execute("UPDATE sessions SET last_seen = now() - interval '61 seconds'").await;
    let mut aside = app.db.dedicated().await.unwrap();
    let read_only = diesel::sql_query("SET default_transaction_read_only = on");
    diesel_async::RunQueryDsl::execute(read_only, &mut aside).await.unwrap();
    let found = store::by_session(&mut aside, &ocim::platform::users::secret_hash(&secret)).await.unwrap();
    assert_eq!(found.unwrap().username, "ada");
    let noted = "SELECT count(*) AS n FROM sessions WHERE last_seen > now() - interval '1 minute'";
    assert_eq!(app.number(noted).await, 0, "it could not be noted");
    app.end().await;
}

#[tokio::test]
async fn a_user_ends_one_or_all_other_sessions_and_only_own_ones() {
    let app = TestApp::idle().await;
    add_user(&app).await;
    let anonymous = app.anonymous();
    let browsers = [sign_in(&anonymous, "a").await, sign_in(&anonymous, "b").await, sign_in(&anonymous, "c").await];
    let stranger = app.session(Role::Admin).await;
    let theirs = sessions(&stranger).await[0]["id"].clone();
    browsers[0].delete(&format!("{PATH}/{theirs}")).await.problem(404);
    let second = sessions(&browsers[1]).await.iter().find(|one| one["is_current"] == true).unwrap()["id"].clone();
    browsers[0].delete(&format!("{PATH}/{second}")).await.expect(204);
    browsers[0].delete(&format!("{PATH}/{second}")).await.problem(404);
    browsers[1].get(PATH).await.problem(401);
    browsers[0].delete(PATH).await.expect(204);
    browsers[2].get(PATH).await.problem(401);
    assert_eq!(sessions(&browsers[0]).await.len(), 1);
    stranger.get(PATH).await.expect(200);
    for action in ["end_session", "end_other_sessions"] {
        assert_eq!(
            app.number(&format!("SELECT count(*) AS n FROM audit_log WHERE action = '{action}' AND outcome = 'done'"))
                .await,
            1
        );
    }
    app.end().await;
}

#[tokio::test]
async fn signing_in_anew_ends_the_session_of_the_old_cookie() {
    let app = TestApp::idle().await;
    add_user(&app).await;
    let old = sign_in(&app.anonymous(), "Netscape").await;
    let new = sign_in(&old, "Netscape").await;
    old.get(PATH).await.problem(401);
    assert_eq!(sessions(&new).await.len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_token_cannot_list_or_end_sessions() {
    let app = TestApp::idle().await;
    let script = app.person(Role::Admin).await;
    for problem in [script.get(PATH).await, script.delete(PATH).await, script.delete(&format!("{PATH}/1")).await] {
        assert_eq!(problem.problem(403)["detail"], "A token cannot do this; sign in with a password.");
    }
    app.end().await;
}
