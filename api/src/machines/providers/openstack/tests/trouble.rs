//! Services that do not answer, or answer with something else.

use std::time::Instant;

use serde_json::json;

use super::cloud::{Cloud, DETAIL, ONE, SERVERS, nova_error, permanent, reference, spec, transient};
use super::http::Reply;
use crate::machines::provider::Provider;
use crate::machines::providers::openstack::{CloudSettings, OpenStack, OpenStackConfig};

fn listed() -> Reply {
    Reply::json(200, &json!({ "servers": [] }))
}

#[tokio::test]
async fn a_read_is_retried_while_a_service_is_away() {
    let cloud = Cloud::start(&[]).await;
    let page = |status| Reply::page(status, "<html><body><h1>Bad Gateway</h1></body></html>");
    for away in [page(502), page(503), page(504), Reply::Cut] {
        cloud.http.on("GET", DETAIL, [away.clone(), away.clone(), away, listed()]);
        assert_eq!(cloud.provider().list().await, Ok(vec![]));
    }
    cloud.http.on("GET", DETAIL, [page(503)]);
    let before = cloud.http.requests("GET", DETAIL).len();
    let words = transient(cloud.provider().list().await);
    assert_eq!(words, "List servers: Nova answers 503: an HTML page: Bad Gateway");
    assert_eq!(cloud.http.requests("GET", DETAIL).len() - before, 4, "three retries");
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up() {
    let cloud = Cloud::start(&[]).await;
    let provider = cloud.impatient();
    provider.list().await.unwrap();
    for (method, path) in [("GET", DETAIL), ("POST", SERVERS)] {
        cloud.http.on("GET", DETAIL, [listed()]);
        cloud.http.on(method, path, [Reply::Silence]);
        let begun = Instant::now();
        let words = transient(provider.create(&spec(7)).await);
        assert!(
            words.contains(&format!("Nova at {} does not answer: nothing within 400ms", cloud.http.address)),
            "{words}"
        );
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_silent_keystone_is_given_up() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::Silence]);
    let words = transient(cloud.impatient().list().await);
    assert!(words.starts_with("Log in to the cloud: Keystone at 127.0.0.1:"), "{words}");
}

#[tokio::test]
async fn nobody_at_the_address_is_said_with_the_address() {
    let cloud = Cloud::start(&[]).await;
    // Port 1 of loopback is never listened on.
    let settings = CloudSettings { auth_url: Some("http://127.0.0.1:1/v3".into()), ..cloud.settings() };
    let config = OpenStackConfig { credentials: settings.credentials().unwrap(), ..cloud.config() };
    let words = transient(OpenStack::open(config).unwrap().list().await);
    assert!(words.starts_with("Log in to the cloud: Keystone at 127.0.0.1:1 does not answer: "), "{words}");
}

#[tokio::test]
async fn a_write_is_never_retried_by_itself() {
    let cloud = Cloud::start(&[]).await;
    for trouble in [Reply::empty(503), Reply::Cut] {
        cloud.http.on("POST", SERVERS, [trouble]);
        let before = cloud.http.requests("POST", SERVERS).len();
        transient(cloud.provider().create(&spec(7)).await);
        assert_eq!(cloud.http.requests("POST", SERVERS).len() - before, 1);
    }
}

#[tokio::test]
async fn what_is_no_api_is_said() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", DETAIL, [Reply::page(200, "<!DOCTYPE html><title>Log in</title>")]);
    let words = transient(cloud.provider().list().await);
    assert!(words.contains("is an HTML page; see whether the address leads to the API"), "{words}");
    cloud.http.on("GET", DETAIL, [Reply::json(200, &json!({ "versions": [] }))]);
    assert!(transient(cloud.provider().list().await).contains("has no `servers`"));
    cloud.http.on("GET", DETAIL, [Reply::json(200, &json!({ "servers": [{ "id": 7 }] }))]);
    assert!(transient(cloud.provider().list().await).contains("has `servers` of another form"));
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::page(404, "<h1>Not Found</h1>")]);
    let words = permanent(cloud.provider().list().await);
    assert_eq!(words, "Log in to the cloud: Keystone answers 404: an HTML page: Not Found. Check OS_AUTH_URL.");
    cloud.http.on("POST", "/v3/auth/tokens", [Reply::page(200, "<h1>Dashboard</h1>")]);
    assert!(transient(cloud.provider().list().await).contains("is an HTML page"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_token() {
    let cloud = Cloud::start(&[]).await;
    let elsewhere = vec![("Location".to_owned(), format!("{}/elsewhere", cloud.base()))];
    cloud.http.on("GET", DETAIL, [Reply::Answer(302, elsewhere, String::new())]);
    let words = permanent(cloud.provider().list().await);
    assert_eq!(words, "List servers: Nova answers 302: without a message");
    assert!(cloud.http.requests("GET", "/elsewhere").is_empty());
}

#[tokio::test]
async fn a_database_that_is_away_is_a_passing_trouble() {
    let cloud = Cloud::start(&[]).await;
    let fault = "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log \
                 if possible.\n<class 'oslo_db.exception.DBConnectionError'>";
    cloud.http.on("GET", &format!("{SERVERS}/{ONE}"), [nova_error("computeFault", 500, fault)]);
    let words = transient(cloud.provider().find(&reference(7, Some(ONE))).await);
    assert!(words.starts_with(&format!("Look at server {ONE}: Nova answers 500: Unexpected API Error.")), "{words}");
    assert!(words.ends_with("<class 'oslo_db.exception.DBConnectionError'>"), "{words}");
}
