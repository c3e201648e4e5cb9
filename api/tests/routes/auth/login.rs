use serde_json::json;
use shared_types::Role;

use crate::app::{Answer, Credentials, TestApp};

const PATH: &str = "/api/v1/auth/login";
const PASSWORD: &str = "correct horse battery staple";

/// Adds a user whose password is `PASSWORD`.
async fn add_user(app: &TestApp, name: &str) {
    let hash = ocim::platform::users::passwords::hash(PASSWORD.to_owned()).await.unwrap();
    assert!(ocim::platform::users::store::insert(&mut *app.conn().await, name, &hash, Role::Admin).await.unwrap());
}

#[tokio::test]
async fn a_right_password_begins_a_session_that_scripts_of_a_page_cannot_read() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    let answer = app.anonymous().post(PATH, json!({ "username": " ada ", "password": PASSWORD })).await;
    insta::assert_json_snapshot!(answer.expect(200), @r#"
    {
      "id": 1,
      "username": "ada",
      "role": "admin"
    }
    "#);
    let cookie = answer.header("set-cookie");
    let (secret, attributes) = cookie.strip_prefix("ocim_session=").unwrap().split_once(';').unwrap();
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600");
    let ada = app.anonymous().with(Credentials::Cookie(secret.to_owned()));
    assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["username"], "ada");
    let signed_in = "SELECT count(*) AS n FROM audit_log WHERE actor = 'ada' AND action = 'login'";
    assert_eq!(app.number(signed_in).await, 1);
    let in_clear = format!("SELECT count(*) AS n FROM sessions WHERE token_hash = '\\x{secret}'");
    assert_eq!(app.number(&in_clear).await, 0, "only the hash is kept");
    app.end().await;
}

#[tokio::test]
async fn login_does_not_reveal_whether_name_or_password_is_wrong() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    let anonymous = app.anonymous();
    let wrong = anonymous.post(PATH, json!({ "username": "ada", "password": "a guess" })).await.problem(401);
    let unknown = anonymous.post(PATH, json!({ "username": "eve", "password": PASSWORD })).await.problem(401);
    assert_eq!(wrong["detail"], unknown["detail"]);
    assert_eq!(wrong["detail"], "User name or password is wrong.");
    app.end().await;
}

#[tokio::test]
async fn wrong_passwords_slow_down_login_until_the_right_one() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    let anonymous = app.anonymous();
    for _ in 0..2 {
        anonymous.post(PATH, json!({ "username": "ada", "password": "a guess" })).await.problem(401);
    }
    let mut conn = app.conn().await;
    for _ in 0..9 {
        ocim::platform::users::store::remember_failure(&mut conn, "ada", chrono::Duration::minutes(15)).await.unwrap();
    }
    let right = json!({ "username": "ada", "password": PASSWORD });
    let later = anonymous.post(PATH, right.clone()).await;
    assert_eq!(later.problem(429)["type"], "/docs/problems#too-many-requests");
    let wait: i64 = later.header("retry-after").parse().unwrap();
    assert!((1..=64).contains(&wait), "{wait}");

    diesel_async::RunQueryDsl::execute(
        diesel::sql_query("UPDATE login_failures SET at = at - interval '2 minutes'"),
        &mut conn,
    )
    .await
    .unwrap();
    anonymous.post(PATH, right).await.expect(200);
    assert_eq!(app.number("SELECT count(*) AS n FROM login_failures").await, 0);
    app.end().await;
}

#[tokio::test]
async fn login_from_another_site_is_refused() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    let request = app.anonymous().request(reqwest::Method::POST, PATH).header("sec-fetch-site", "cross-site");
    Answer::to(request.json(&json!({ "username": "ada", "password": PASSWORD }))).await.problem(403);
    app.end().await;
}

#[tokio::test]
async fn concurrent_guesses_are_limited_like_sequential_ones() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    let anonymous = app.anonymous();
    let guess = || anonymous.post(PATH, json!({ "username": "ada", "password": "a guess" }));
    let answers = futures::future::join_all((0..20).map(|_| guess())).await;
    let wrong = answers.iter().filter(|answer| answer.status == 401).count();
    let later = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(wrong + later, 20);
    // Five attempts are free; the wait after the next one is a second, which may pass during the test.
    assert!((5..=8).contains(&wrong), "{wrong} were let through");
    let refused = "SELECT count(*) AS n FROM audit_log WHERE actor = 'ada' AND action = 'login' \
        AND outcome = 'refused' AND reason = 'User name or password is wrong.' AND address = '127.0.0.1'";
    assert_eq!(app.number(refused).await, i64::try_from(wrong).unwrap(), "each is audited, and no more");
    app.end().await;
}

#[tokio::test]
async fn one_address_that_tries_many_names_is_slowed_down_too() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    app.execute(
        "INSERT INTO login_failures (username, address) SELECT 'user' || n, '127.0.0.1' FROM generate_series(1, 29) AS n",
    )
    .await;
    let right = json!({ "username": "ada", "password": PASSWORD });
    let anonymous = app.anonymous();
    anonymous.post(PATH, right.clone()).await.expect(200);
    anonymous.post(PATH, json!({ "username": "eve", "password": "a guess" })).await.problem(401);
    let later = anonymous.post(PATH, right.clone()).await;
    assert_eq!(later.header("retry-after"), "1");
    let detail = later.problem(429)["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "Too many wrong passwords from this address; try again in 1 s.");
    app.execute("UPDATE login_failures SET address = '192.0.2.7' WHERE username = 'user1'").await;
    anonymous.post(PATH, right).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_disabled_user_cannot_sign_in() {
    let app = TestApp::idle().await;
    add_user(&app, "ada").await;
    app.execute("UPDATE users SET disabled_at = now()").await;
    let answer = app.anonymous().post(PATH, json!({ "username": "ada", "password": PASSWORD })).await;
    assert_eq!(answer.problem(401)["detail"], "User name or password is wrong.");
    app.end().await;
}

#[tokio::test]
async fn an_invalid_user_name_is_answered_like_a_wrong_one() {
    let app = TestApp::idle().await;
    for name in ["", "a\u{0}da", "a\nda", &"x".repeat(100_000)] {
        app.anonymous().post(PATH, json!({ "username": name, "password": "a guess" })).await.problem(401);
    }
    let longest = "SELECT max(char_length(actor))::bigint AS n FROM audit_log WHERE action = 'login'";
    assert_eq!(app.number(longest).await, 151);
    app.end().await;
}
