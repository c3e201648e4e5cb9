//! Signing in at a provider: the whole flow, with a browser and a provider that behave like real ones.

mod browser;
mod forged;
mod github;
mod provider;

use std::time::Duration;

use serde_json::json;
use shared_types::Role;

use self::browser::Browser;
use self::provider::{CLIENT, Provider, SECRET, Twist};
use crate::app::{Setup, TestApp, until};

const ROLES: [&str; 5] = ["staff=viewer", "ops=operator", "admins=admin", "Acme/ops=operator", "acme/root=admin"];

/// The program with both providers, served by one web server.
async fn start() -> (TestApp, Provider) {
    let provider = Provider::start();
    let base = provider.base.clone();
    let settings = move |settings: &mut ocim::config::Settings| {
        settings.server.ocim_public_url = Some("https://ocim.example/".into());
        settings.sign_in.ocim_oidc_issuer = Some(base.clone());
        settings.sign_in.ocim_oidc_client_id = CLIENT.into();
        settings.sign_in.ocim_oidc_client_secret = Some(SECRET.into());
        settings.sign_in.ocim_oidc_name = "Example Inc.".into();
        settings.sign_in.ocim_github_client_id = Some(CLIENT.into());
        settings.sign_in.ocim_github_client_secret = Some(SECRET.into());
        settings.github.github_url = base.clone();
        settings.github.github_api_url = format!("{base}/api");
        settings.sign_in.ocim_sign_in_roles = ROLES.map(str::to_owned).to_vec();
    };
    let app = TestApp::with(Setup { works: false, settings: Box::new(settings), ..Setup::default() }).await;
    (app, provider)
}

async fn audited(app: &TestApp, what: &str) -> i64 {
    app.number(&format!("SELECT count(*) AS n FROM audit_log WHERE {what}")).await
}

#[tokio::test]
async fn groups_give_the_role_at_each_sign_in() {
    let (app, provider) = start().await;
    let mut ada = Browser::new(&app);
    insta::assert_json_snapshot!(ada.get("/api/v1/auth/providers").await.expect(200), @r#"
    {
      "items": [
        {
          "id": "oidc",
          "name": "Example Inc.",
          "url": "/api/v1/auth/oidc/login"
        },
        {
          "id": "github",
          "name": "GitHub",
          "url": "/api/v1/auth/github/login"
        }
      ],
      "next_cursor": null
    }
    "#);
    let back = ada.leave("oidc", Some("/instances/7%3Fx=1%23L2")).await;
    let answer = ada.get(&back).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/instances/7?x=1#L2"));
    let me = ada.get("/api/v1/auth/me").await.expect(200);
    assert_eq!(me, json!({ "id": 1, "username": "ada", "role": "operator" }));
    assert!(!ada.cookies.contains_key("ocim_sign_in"), "the way back is over");
    let done = "action = 'login' AND actor = 'ada' AND user_id = 1 AND detail = '{\"provider\": \"oidc\"}'";
    assert_eq!(audited(&app, done).await, 1);
    let made = "action = 'create_user' AND actor = 'oidc' AND detail ->> 'role' = 'operator'";
    assert_eq!(audited(&app, made).await, 1);
    let without = "SELECT count(*) AS n FROM users WHERE password_hash IS NULL AND last_login IS NOT NULL";
    assert_eq!(app.number(without).await, 1);

    // Renamed, with more groups: the same user, whose sessions stay open.
    provider.is("00u1", "ada.lovelace", &["staff", "admins", "other"]);
    let me = Browser::new(&app).signed_in("oidc").await;
    assert_eq!(me, json!({ "id": 1, "username": "ada", "role": "admin" }));
    assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["role"], "admin");

    // With fewer groups, open sessions end.
    app.session(Role::Admin).await;
    provider.is("00u1", "ada", &["staff"]);
    let mut again = Browser::new(&app);
    assert_eq!(again.signed_in("oidc").await["role"], "viewer");
    ada.get("/api/v1/auth/me").await.problem(401);
    let changed = "action = 'update_user' AND actor = 'oidc' AND outcome = 'done' AND after ->> 'role'";
    assert_eq!(audited(&app, &format!("{changed} = 'admin'")).await, 1);
    assert_eq!(audited(&app, &format!("{changed} = 'viewer'")).await, 1);

    // Without a group that gives a role, the sign-in is refused.
    provider.is("00u1", "ada", &["other"]);
    let refused = Browser::new(&app).sign_in("oidc").await;
    assert_eq!((refused.status.as_u16(), refused.header("location")), (302, "/login?problem=no-role"));
    let problem = Browser::script(&app).sign_in("oidc").await.problem(403);
    assert_eq!(problem["detail"], "None of the groups of ada gives a role here; ask an administrator for one.");
    let refused = "action = 'login' AND actor = 'oidc' AND outcome = 'refused' AND detail ->> 'subject' = '00u1'";
    assert_eq!(audited(&app, refused).await, 2);
    assert_eq!(app.number("SELECT count(*) AS n FROM user_identities").await, 1);
    app.end().await;
}

#[tokio::test]
async fn an_equal_name_does_not_take_over_a_user() {
    let (app, provider) = start().await;
    let mut conn = app.conn().await;
    ocim::platform::users::store::insert(&mut conn, "admin", "no password has this hash", Role::Admin).await.unwrap();
    drop(conn);
    for (subject, expected) in [("1", "admin-2"), ("2", "admin-3"), ("1", "admin-2")] {
        provider.is(subject, "admin", &["staff"]);
        let me = Browser::new(&app).signed_in("oidc").await;
        assert_eq!((me["username"].as_str(), me["role"].as_str()), (Some(expected), Some("viewer")));
    }
    // The same subject at another provider is another user.
    provider.is("1", "admin", &["acme/root"]);
    assert_eq!(Browser::new(&app).signed_in("github").await["username"], "admin-4");
    provider.is("3", "ad\u{202e}a", &["staff"]);
    assert_eq!(Browser::new(&app).signed_in("oidc").await["username"], "somebody");
    app.end().await;
}

#[tokio::test]
async fn concurrent_first_sign_ins_create_one_user() {
    let (app, _provider) = start().await;
    let (mut one, mut other) = (Browser::new(&app), Browser::new(&app));
    let (a, b) = tokio::join!(one.signed_in("oidc"), other.signed_in("oidc"));
    assert_eq!(a, b);
    assert_eq!(app.number("SELECT count(*) AS n FROM users").await, 1);
    app.end().await;
}

#[tokio::test]
async fn groups_missing_in_the_id_token_are_read_from_userinfo() {
    let (app, provider) = start().await;
    provider.known().groups = None;
    assert_eq!(Browser::new(&app).signed_in("oidc").await["role"], "operator");
    assert_eq!(provider.known().userinfo_asked, 1);
    provider.twist(Twist::OtherUserinfo);
    Browser::script(&app).sign_in("oidc").await.problem(401);
    app.end().await;
}

#[tokio::test]
async fn a_disabled_user_is_refused_after_signing_in_at_a_provider() {
    let (app, _provider) = start().await;
    let mut ada = Browser::new(&app);
    ada.signed_in("oidc").await;
    app.execute("UPDATE users SET disabled_at = now()").await;
    ada.get("/api/v1/auth/me").await.problem(401);
    assert_eq!(ada.sign_in("oidc").await.header("location"), "/login?problem=disabled");
    let problem = Browser::script(&app).sign_in("oidc").await.problem(403);
    assert_eq!(problem["detail"], "The user ada is disabled; an administrator can enable it.");
    assert_eq!(audited(&app, "action = 'login' AND outcome = 'refused'").await, 2);
    app.end().await;
}

#[tokio::test]
async fn signing_in_does_not_demote_the_last_administrator() {
    let (app, provider) = start().await;
    provider.is("00u1", "ada", &["admins"]);
    let mut ada = Browser::new(&app);
    ada.signed_in("oidc").await;
    provider.is("00u1", "ada", &["staff"]);
    assert_eq!(Browser::new(&app).signed_in("oidc").await["role"], "admin");
    assert_eq!(ada.get("/api/v1/auth/me").await.expect(200)["role"], "admin", "what was open stays");
    assert_eq!(audited(&app, "action = 'update_user' AND outcome = 'refused'").await, 1);
    app.session(Role::Admin).await;
    assert_eq!(Browser::new(&app).signed_in("oidc").await["role"], "viewer", "there is another one now");
    app.end().await;
}

#[tokio::test]
async fn an_unavailable_provider_does_not_affect_passwords() {
    let (app, provider) = start().await;
    provider.twist(Twist::Down);
    let begun = Browser::new(&app).get("/api/v1/auth/oidc/login").await;
    assert_eq!((begun.status.as_u16(), begun.header("location")), (302, "/login?problem=unavailable"));
    provider.twist(Twist::None);
    // After a failure, the provider is not asked for some seconds: everybody can begin a sign-in.
    let begins = async || Browser::new(&app).get("/api/v1/auth/oidc/login").await.header("location").to_owned();
    assert_eq!((begins().await.as_str(), provider.described()), ("/login?problem=unavailable", 1));
    until("the provider is asked again", async || {
        // One network may begin 120 sign-ins a minute.
        tokio::time::sleep(Duration::from_millis(500)).await;
        begins().await.starts_with(&provider.base)
    })
    .await;
    // A script that accepts any type gets a problem document, not a page.
    let mut late = Browser::new(&app);
    late.accept = "*/*";
    let path = late.leave("oidc", None).await;
    provider.twist(Twist::Down);
    let answer = late.get(&path).await;
    answer.problem(503);
    assert_eq!(answer.header("retry-after"), "30");
    provider.twist(Twist::None);
    let mut later = Browser::new(&app);
    let path = later.leave("oidc", None).await;
    provider.stop().await;
    assert_eq!(later.get(&path).await.header("location"), "/login?problem=unavailable", "nothing listens there");
    assert_eq!(app.number("SELECT count(*) AS n FROM sessions").await, 0);
    let login = app.anonymous().post("/api/v1/auth/login", json!({ "username": "x", "password": "a guess" })).await;
    login.problem(401);
    assert_eq!(audited(&app, "actor = 'oidc'").await, 0, "an outage is not audited as a refusal");
    app.end().await;
}

#[tokio::test]
async fn without_configured_providers_none_are_listed() {
    let app = TestApp::idle().await;
    let mut browser = Browser::new(&app);
    assert_eq!(browser.get("/api/v1/auth/providers").await.expect(200)["items"], json!([]));
    for path in ["oidc/login", "oidc/callback", "github/login", "saml/login"] {
        browser.get(&format!("/api/v1/auth/{path}")).await.problem(404);
    }
    app.end().await;
}
