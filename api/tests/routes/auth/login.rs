use ocim::config::Settings;
use ocim::platform::users::store::failures;
use serde_json::json;
use shared_types::Role;

use crate::app::{Answer, Credentials, Setup, TestApp};

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
        let memory = chrono::Duration::minutes(15);
        failures::remember(&mut conn, "ada", Some("127.0.0.1"), None, memory).await.unwrap();
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

/// Behind a proxy, so that a request may come from any address.
async fn behind_a_proxy() -> TestApp {
    let guard = |settings: &mut Settings| settings.guard.ocim_trusted_proxies = vec!["127.0.0.1".into()];
    TestApp::with(Setup { works: false, guard, ..Setup::default() }).await
}

/// Signs in from this address, with this cookie.
async fn from(app: &TestApp, address: &str, name: &str, password: &str, cookie: &str) -> Answer {
    let request = app.anonymous().request(reqwest::Method::POST, PATH).header("x-forwarded-for", address);
    Answer::to(request.header("cookie", cookie).json(&json!({ "username": name, "password": password }))).await
}

/// The cookie of an answer with this name, as a browser sends it.
fn cookie(answer: &Answer, name: &str) -> String {
    let all = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    let mut own = all.filter_map(|cookie| cookie.split(';').next()).filter(|cookie| cookie.starts_with(name));
    own.next().unwrap_or_else(|| panic!("no cookie {name}")).to_owned()
}

#[tokio::test]
async fn wrong_passwords_of_others_keep_nobody_out_of_a_known_browser() {
    let app = behind_a_proxy().await;
    add_user(&app, "ada").await;
    add_user(&app, "eve").await;
    let first = from(&app, "192.0.2.1", "ada", PASSWORD, "").await;
    first.expect(200);
    let known = cookie(&first, "ocim_browser=");
    let fail = |count: i32, address: &str| {
        format!(
            "INSERT INTO login_failures (username, address) SELECT 'ada', {address} FROM generate_series(1, {count}) AS n"
        )
    };
    // From elsewhere: this network is not affected.
    app.execute(&fail(50, "'198.51.100.7'")).await;
    from(&app, "192.0.2.2", "ada", PASSWORD, "").await.expect(200);
    from(&app, "198.51.100.7", "ada", PASSWORD, "").await.problem(429);
    // From here: only this browser is not affected, nor is it by those for other names.
    app.execute(&fail(50, "'192.0.2.1'")).await;
    from(&app, "192.0.2.1", "ada", PASSWORD, "").await.problem(429);
    from(&app, "192.0.2.1", "eve", PASSWORD, &known).await.problem(429);
    let again = from(&app, "192.0.2.1", "ada", PASSWORD, &known).await;
    again.expect(200);
    assert!(!again.header("set-cookie").contains("ocim_browser"), "it is known already");
    // From many networks: other browsers wait half a minute at most.
    app.execute(&fail(1000, "'203.0.113.' || (n % 250)")).await;
    let later = from(&app, "192.0.2.9", "ada", PASSWORD, "").await;
    later.problem(429);
    assert!((1..=30).contains(&later.header("retry-after").parse::<i64>().unwrap()));
    from(&app, "192.0.2.9", "ada", PASSWORD, &known).await.expect(200);
    // A known browser is slowed down by its own wrong passwords.
    for _ in 0..5 {
        from(&app, "192.0.2.9", "ada", "a guess", &known).await.problem(401);
    }
    from(&app, "192.0.2.9", "ada", PASSWORD, &known).await.problem(429);
    app.end().await;
}

#[tokio::test]
async fn a_flood_of_wrong_passwords_delays_a_right_one_little() {
    let app = behind_a_proxy().await;
    add_user(&app, "ada").await;
    let known = cookie(&from(&app, "192.0.2.1", "ada", PASSWORD, "").await, "ocim_browser=");
    let alone = std::time::Instant::now();
    from(&app, "192.0.2.1", "ada", PASSWORD, &known).await.expect(200);
    let alone = alone.elapsed();
    let flooding = async {
        let mut answered = 0;
        loop {
            let guesses = (0..40).map(|n| {
                let address = format!("198.51.100.{}", (answered + n) % 250);
                let app = &app;
                async move { from(app, &address, "ada", "a guess", "").await }
            });
            let answers = futures::future::join_all(guesses).await;
            for answer in answers {
                assert!([401, 429].contains(&answer.status.as_u16()), "{}", answer.body);
                answered += 1;
            }
        }
    };
    let mut longest = std::time::Duration::ZERO;
    let right = async {
        for _ in 0..10 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            let began = std::time::Instant::now();
            from(&app, "192.0.2.1", "ada", PASSWORD, &known).await.expect(200);
            longest = longest.max(began.elapsed());
        }
    };
    tokio::select! {
        () = right => {}
        () = flooding => {}
    }
    eprintln!("signing in took {alone:?} alone and {longest:?} at most beside a flood");
    assert!(longest < std::time::Duration::from_secs(5), "{longest:?}");
    app.end().await;
}

#[tokio::test]
async fn the_addresses_of_an_ipv6_network_count_as_one() {
    let app = behind_a_proxy().await;
    add_user(&app, "ada").await;
    app.execute(
        "INSERT INTO login_failures (username, address) SELECT 'user' || n, '2001:db8::/64' FROM generate_series(1, 28) AS n",
    )
    .await;
    for host in 1..=2 {
        from(&app, &format!("2001:db8::{host}"), &format!("x{host}"), "a guess", "").await.problem(401);
    }
    let problem = from(&app, "2001:db8::3", "ada", PASSWORD, "").await.problem(429);
    assert_eq!(problem["detail"], "Too many wrong passwords from this address; try again in 1 s.");
    from(&app, "2001:db8:0:1::3", "ada", PASSWORD, "").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn refused_sign_ins_do_not_fill_the_audit_log() {
    let app = behind_a_proxy().await;
    app.execute(
        "INSERT INTO audit_log (actor, action, outcome, reason) SELECT 'x', 'login', 'refused', 'x' FROM generate_series(1, 299)",
    )
    .await;
    for host in 1..=5 {
        from(&app, &format!("192.0.2.{host}"), "ada", "a guess", "").await.problem(401);
    }
    let refused = "SELECT count(*) AS n FROM audit_log WHERE action = 'login' AND outcome = 'refused'";
    assert_eq!(app.number(refused).await, 301);
    let last = app.text("SELECT reason AS text FROM audit_log ORDER BY id DESC LIMIT 1").await;
    assert!(last.contains("Further refusals are not recorded"), "{last}");
    app.end().await;
}

#[tokio::test]
async fn behind_tls_cookies_are_bound_to_the_host() {
    let guard = |settings: &mut Settings| settings.server.ocim_behind_tls = true;
    let app = TestApp::with(Setup { works: false, guard, ..Setup::default() }).await;
    add_user(&app, "ada").await;
    let answer = app.anonymous().post(PATH, json!({ "username": "ada", "password": PASSWORD })).await;
    answer.expect(200);
    let session = cookie(&answer, "__Host-ocim_session=");
    cookie(&answer, "__Host-ocim_browser=");
    let (_, attributes) = answer.header("set-cookie").split_once(';').unwrap();
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1209600");
    let me = |cookie: String| {
        Answer::to(app.anonymous().request(reqwest::Method::GET, "/api/v1/auth/me").header("cookie", cookie))
    };
    me(session.clone()).await.expect(200);
    // Another host of the same domain can set a cookie without the prefix, with the secret of its own session.
    me(session.replace("__Host-", "")).await.problem(401);
    // A session that an earlier version began goes on.
    let old = "ab".repeat(32);
    let expires = chrono::Utc::now() + chrono::Duration::days(1);
    let hash = ocim::platform::users::secret_hash(&old);
    ocim::platform::users::store::begin_session(&mut *app.conn().await, shared_types::UserId(1), &hash, expires)
        .await
        .unwrap();
    me(format!("ocim_session={old}")).await.expect(200);
    me(format!("__Host-ocim_session={old}")).await.problem(401);
    let request =
        app.anonymous().request(reqwest::Method::POST, "/api/v1/auth/logout").header("cookie", session.clone());
    let gone = Answer::to(request).await;
    gone.expect(204);
    let gone: Vec<&str> = gone.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert!(gone.len() == 2 && gone.iter().all(|cookie| cookie.contains("Max-Age=0")), "{gone:?}");
    assert!(gone.iter().any(|cookie| cookie.starts_with("__Host-ocim_session=;") && cookie.contains("Secure")));
    me(session).await.problem(401);
    app.end().await;
}
