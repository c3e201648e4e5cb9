//! Forged and replayed sign-ins, which must be refused.

use std::time::Duration;

use super::browser::Browser;
use super::provider::Twist;
use super::{audited, start};
use crate::app::until;

#[tokio::test]
async fn invalid_id_tokens_are_refused() {
    let (app, provider) = start().await;
    let twists = [
        Twist::Nonce,
        Twist::NoNonce,
        Twist::Audience,
        Twist::TwoAudiences,
        Twist::Issuer,
        Twist::Expired,
        Twist::Signature,
        Twist::Claims,
        Twist::Unsigned,
        Twist::SecretSigned,
        Twist::TokenHash,
    ];
    for (count, twist) in (1..).zip(twists) {
        let (mut person, mut script) = (Browser::new(&app), Browser::script(&app));
        provider.twist(Twist::None);
        let (back, back_again) = (person.leave("oidc", None).await, script.leave("oidc", None).await);
        provider.twist(twist);
        let answer = person.get(&back).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/login?problem=invalid"), "{twist:?}");
        let problem = script.get(&back_again).await.problem(401);
        assert!(problem["detail"].as_str().unwrap().starts_with("The provider's response failed a check"), "{twist:?}");
        assert!(person.cookies.is_empty() && script.cookies.is_empty(), "{twist:?}");
        assert_eq!(audited(&app, "action = 'login' AND outcome = 'refused'").await, 2 * count, "{twist:?}");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM users").await, 0);
    provider.twist(Twist::None);
    Browser::new(&app).signed_in("oidc").await;
    app.end().await;
}

#[tokio::test]
async fn a_provider_that_names_another_issuer_is_refused() {
    let (app, provider) = start().await;
    provider.twist(Twist::OtherIssuer);
    let answer = Browser::new(&app).get("/api/v1/auth/oidc/login").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/login?problem=invalid"));
    app.end().await;
}

#[tokio::test]
async fn metadata_and_keys_are_fetched_once_for_many_sign_ins_and_anew_for_other_keys() {
    let (app, provider) = start().await;
    let begun = (0..20).map(|_| async { Browser::new(&app).leave("oidc", None).await });
    futures::future::join_all(begun).await;
    Browser::new(&app).signed_in("oidc").await;
    assert_eq!(provider.described(), 1);
    provider.rotate_key();
    until("a sign-in with the new key succeeds", async || {
        tokio::time::sleep(Duration::from_millis(500)).await;
        Browser::new(&app).sign_in("oidc").await.header("location") == "/"
    })
    .await;
    assert_eq!(provider.described(), 2);
    app.end().await;
}

#[tokio::test]
async fn only_the_browser_that_began_a_sign_in_can_finish_it_and_once() {
    let (app, provider) = start().await;
    // The victim's browser, which an attacker has sent to the attacker's callback.
    let (mut ada, mut victim) = (Browser::script(&app), Browser::new(&app));
    let back = ada.leave("oidc", None).await;
    let answer = victim.get(&back).await;
    assert_eq!(answer.header("location"), "/login?problem=expired");
    victim.leave("oidc", None).await;
    assert_eq!(victim.get(&back).await.header("location"), "/login?problem=expired", "another state");
    // The cookie is valid for one provider only.
    let cookie = ada.cookies["ocim_sign_in"].clone();
    ada.cookies.insert("ocim_sign_in".into(), ("/api/v1/auth/github".into(), cookie.1.clone()));
    ada.get(&back.replace("/oidc/", "/github/")).await.problem(400);
    for changed in [cookie.1.replace(".", ".A"), cookie.1[1..].to_owned(), String::new()] {
        ada.cookies.insert("ocim_sign_in".into(), (cookie.0.clone(), changed));
        ada.get(&back).await.problem(400);
    }
    for query in ["", "?state=x", "?code=x", "?code=x&state="] {
        ada.cookies.insert("ocim_sign_in".into(), cookie.clone());
        ada.get(&format!("/api/v1/auth/oidc/callback{query}")).await.problem(400);
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM audit_log").await, 0, "anybody could fill it");
    // The right cookie; then the same callback again, without the cookie and with it.
    ada.cookies.insert("ocim_sign_in".into(), cookie.clone());
    assert_eq!(ada.get(&back).await.header("location"), "/");
    ada.get(&back).await.problem(400);
    ada.cookies.insert("ocim_sign_in".into(), cookie.clone());
    let problem = ada.get(&back).await.problem(403);
    assert_eq!(problem["detail"], "The provider did not let anybody sign in: invalid_grant.");
    assert_eq!(app.number("SELECT count(*) AS n FROM sessions").await, 1);
    assert_eq!(provider.known().tokens.len(), 1);
    app.end().await;
}

#[tokio::test]
async fn a_denial_at_the_provider_refuses_the_sign_in() {
    let (app, _provider) = start().await;
    let mut ada = Browser::new(&app);
    let back = ada.leave("oidc", None).await;
    let state = back.split("state=").nth(1).unwrap().split('&').next().unwrap();
    let path = format!("/api/v1/auth/oidc/callback?error=access_denied&state={state}");
    assert_eq!(ada.get(&path).await.header("location"), "/login?problem=denied");
    assert_eq!(audited(&app, "action = 'login' AND outcome = 'refused' AND actor = 'oidc'").await, 1);
    app.end().await;
}

#[tokio::test]
async fn signing_in_never_redirects_to_another_site() {
    let (app, _provider) = start().await;
    for next in ["//evil.example", "/%5Cevil.example", "https://evil.example", "/%09/evil.example", "evil", ""] {
        let path = format!("/api/v1/auth/oidc/login?next={next}");
        let answer = Browser::new(&app).get(&path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/login?problem=bad-request"), "{next}");
        let problem = Browser::script(&app).get(&path).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains("must be a path of this site"), "{next}: {problem}");
    }
    app.end().await;
}

#[tokio::test]
async fn the_sign_in_cookie_is_opaque_and_limited_to_its_path() {
    let (app, _provider) = start().await;
    let mut ada = Browser::new(&app);
    let away = ada.get("/api/v1/auth/oidc/login").await;
    let cookie = away.header("set-cookie").to_owned();
    let (_, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Path=/api/v1/auth/oidc; Max-Age=600");
    let to = url::Url::parse(away.header("location")).unwrap();
    let asked: std::collections::BTreeMap<_, _> = to.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], "https://ocim.example/api/v1/auth/oidc/callback");
    assert_eq!(asked["scope"], "openid profile groups");
    for secret in [&asked["state"], &asked["nonce"]] {
        assert!(secret.len() >= 43 && !cookie.contains(secret.as_str()));
    }
    app.end().await;
}
