//! Logins and tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::cloud::{
    Cloud, DETAIL, ONE, PACE, PASSWORD, SERVERS, active, catalog, created, permanent, reference, spec, transient,
};
use super::http::Reply;
use crate::machines::provider::Provider;
use crate::machines::providers::openstack::OpenStack;
use crate::machines::providers::openstack::pace::Pace;

fn unauthorized() -> Reply {
    let message = "The request you have made requires authentication.";
    Reply::json(401, &json!({ "error": { "code": 401, "message": message, "title": "Unauthorized" } }))
}

#[tokio::test]
async fn a_password_login_names_user_and_project_with_their_domains() {
    let cloud = Cloud::start(&[]).await;
    assert_eq!(cloud.provider().list().await, Ok(vec![]));
    let login = cloud.http.requests("POST", "/v3/auth/tokens").remove(0);
    let domain = json!({ "name": "Default" });
    let user = json!({ "name": "tester", "domain": domain, "password": PASSWORD });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let scope = json!({ "project": { "name": "demo", "domain": domain } });
    assert_eq!(login.body, json!({ "auth": { "identity": identity, "scope": scope } }));
    assert_eq!(cloud.http.requests("GET", DETAIL)[0].headers["x-auth-token"], "token-1");
}

#[tokio::test]
async fn an_application_credential_logs_in_without_a_scope() {
    let cloud = Cloud::start(&[]).await;
    let mut settings = cloud.settings();
    (settings.username, settings.password, settings.project_name) = (None, None, None);
    settings.application_credential_id = Some("ac1".into());
    settings.application_credential_secret = Some("ac-secret".into());
    let credentials = settings.credentials().unwrap();
    cloud.provider_with(|config| config.credentials = credentials).list().await.unwrap();
    let login = cloud.http.requests("POST", "/v3/auth/tokens").remove(0);
    let credential = json!({ "id": "ac1", "secret": "ac-secret" });
    let identity = json!({ "methods": ["application_credential"], "application_credential": credential });
    assert_eq!(login.body, json!({ "auth": { "identity": identity } }));
}

#[tokio::test]
async fn a_refused_login_names_the_variables_and_not_the_password() {
    let cloud = Cloud::start(&[]).await;
    let echo =
        json!({ "error": { "code": 401, "message": format!("no user with {PASSWORD}"), "title": "Unauthorized" } });
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::json(401, &echo)]);
    let words = permanent(cloud.provider().list().await);
    assert!(words.starts_with("Log in to the cloud: Keystone answers 401: no user with [hidden]"), "{words}");
    for name in ["OS_USERNAME", "OS_PASSWORD", "OS_PROJECT_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME"] {
        assert!(words.contains(name), "{name}: {words}");
    }
    let shown = format!("{:?}", cloud.provider());
    assert!(!shown.contains(PASSWORD), "{shown}");
}

#[tokio::test]
async fn an_application_credential_that_is_gone_is_named() {
    let cloud = Cloud::start(&[]).await;
    let gone = json!({ "error": { "code": 404, "message": "Could not find Application Credential: ac1.", "title": "Not Found" } });
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::json(404, &gone)]);
    let mut settings = cloud.settings();
    (settings.username, settings.password, settings.project_name) = (None, None, None);
    settings.application_credential_id = Some("ac1".into());
    settings.application_credential_secret = Some("ac-secret".into());
    let credentials = settings.credentials().unwrap();
    let words = permanent(cloud.provider_with(|config| config.credentials = credentials).list().await);
    let checks = "Check OS_APPLICATION_CREDENTIAL_ID, OS_APPLICATION_CREDENTIAL_SECRET, OS_AUTH_URL.";
    assert_eq!(
        words,
        format!("Log in to the cloud: Keystone answers 404: Could not find Application Credential: ac1. {checks}")
    );
}

#[tokio::test]
async fn a_token_without_a_project_is_not_believed() {
    let cloud = Cloud::start(&[]).await;
    // Nova would answer it with 200 and an empty list, as if all machines were gone.
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token_with("t", 3600, Value::Null, catalog(&cloud.base()))]);
    let words = permanent(cloud.provider().list().await);
    assert!(words.contains("for no project") && words.contains("OS_PROJECT_NAME or OS_PROJECT_ID"), "{words}");
    assert_eq!(cloud.http.requests("GET", "/").len(), 0);
}

#[tokio::test]
async fn an_expired_token_is_replaced_once_and_the_request_repeated() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token("token-1", 3600), cloud.token("token-2", 3600)]);
    let listed = Reply::json(200, &json!({ "servers": [active(ONE, 7, "10.0.0.5")] }));
    cloud.http.on("GET", DETAIL, [listed.clone(), unauthorized(), listed]);
    let provider = cloud.provider();
    provider.list().await.unwrap();
    assert_eq!(provider.list().await.unwrap().len(), 1);
    let tokens: Vec<_> =
        cloud.http.requests("GET", DETAIL).iter().map(|one| one.headers["x-auth-token"].clone()).collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-2"]);
    assert_eq!(cloud.logins(), 2);
}

#[tokio::test]
async fn a_create_that_is_refused_for_its_token_is_repeated_once() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token("token-1", 3600), cloud.token("token-2", 3600)]);
    cloud.http.on("POST", SERVERS, [unauthorized(), created(ONE)]);
    assert_eq!(cloud.provider().create(&spec(7)).await.unwrap().provider_id, ONE);
    let tokens: Vec<_> =
        cloud.http.requests("POST", SERVERS).iter().map(|one| one.headers["x-auth-token"].clone()).collect();
    assert_eq!(tokens, ["token-1", "token-2"]);
}

#[tokio::test]
async fn a_token_that_is_refused_at_once_is_a_passing_trouble() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", DETAIL, [unauthorized()]);
    let words = transient(cloud.provider().list().await);
    assert!(words.contains("Nova answers 401") && words.contains("has just given"), "{words}");
    assert_eq!((cloud.logins(), cloud.http.requests("GET", DETAIL).len()), (2, 2));
}

#[tokio::test]
async fn twenty_callers_wait_for_one_login() {
    let cloud = Cloud::start(&[]).await;
    let provider = cloud.provider();
    let calls = (0..20).map(|_| provider.list());
    for answer in futures::future::join_all(calls).await {
        assert_eq!(answer, Ok(vec![]));
    }
    assert_eq!(cloud.logins(), 1);
}

#[tokio::test]
async fn a_token_is_replaced_before_it_ends_and_used_to_its_end_without_keystone() {
    let cloud = Cloud::start(&[]).await;
    // Replaced after half of its life.
    let down = Reply::page(503, "<html><h1>503 Service Unavailable</h1></html>");
    cloud.http.on("POST", "/v3/auth/tokens", [cloud.token("token-1", 4), down, cloud.token("token-2", 3600)]);
    let provider = cloud.provider();
    provider.list().await.unwrap();
    tokio::time::sleep(Duration::from_millis(2050)).await;
    provider.list().await.unwrap();
    provider.list().await.unwrap();
    let tokens: Vec<_> =
        cloud.http.requests("GET", DETAIL).iter().map(|one| one.headers["x-auth-token"].clone()).collect();
    assert_eq!(tokens, ["token-1", "token-1", "token-2"]);
    assert_eq!(cloud.logins(), 3);
}

#[tokio::test]
async fn a_failed_login_is_not_repeated_at_once() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", "/v3/auth/tokens", [unauthorized()]);
    let pace = Pace { login: Duration::from_secs(60), ..PACE };
    let provider = OpenStack::open_with(cloud.config(), pace).unwrap();
    let first = permanent(provider.list().await);
    assert_eq!(permanent(provider.find(&reference(1, None)).await), first);
    assert_eq!(cloud.logins(), 1, "more logins with a wrong password could lock the account");
}
