//! Preview links: visitors with the cookie get the candidate, everyone else the active app server, and no application gets the cookie.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ocim::config::gateway::Scheme;
use ocim::routing::traffic::{Preview, Question, Route, Traffic};
use sha2::{Digest, Sha256};
use shared_types::https::HttpsPolicy;

use super::application::Application;
use super::visitor::Answer;
use super::{CONNECTIONS, Gateway};

const HOST: &str = "echo.localhost";
const TOKEN: &str = "5f0c7a3be1f94c5d8a6b2e7d90c1f3a45f0c7a3be1f94c5d8a6b2e7d90c1f3a4";

fn preview(token: &str, target: SocketAddr, ends_at: DateTime<Utc>) -> Preview {
    Preview { hash: hex::encode(Sha256::digest(token)), target, ends_at, domain: HOST.to_owned() }
}

fn later() -> DateTime<Utc> {
    Utc::now() + chrono::TimeDelta::hours(1)
}

impl Gateway {
    async fn set(&self, active: Option<SocketAddr>, notice: Option<&str>, scheme: Scheme, previews: Vec<Preview>) {
        let (hostname, notice) = (HOST.to_owned(), notice.map(str::to_owned));
        self.inner
            .apply(&[Route { hostname, target: active, notice, scheme, https: HttpsPolicy::Optional, previews }])
            .await
            .unwrap();
    }

    async fn open(&self, host: &str, path: &str, headers: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        self.send("127.0.0.1", request.as_bytes()).await.remove(0)
    }

    /// A visitor with these cookies.
    async fn visit(&self, cookies: &str) -> Answer {
        self.open(HOST, "/page", &format!("Cookie: {cookies}\r\n")).await
    }
}

/// The only request that the application got since this was last called, in lower case.
fn taken(application: &Application) -> String {
    let requests = application.requests();
    application.forget();
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests[0].head.to_lowercase()
}

fn has(answer: &Answer, header: &str) -> bool {
    answer.head.to_lowercase().lines().any(|line| line == header)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_of_a_link_shows_the_candidate_and_reaches_no_application() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let active = Some(gateway.application.address);
    gateway.set(active, None, Scheme::Http, vec![preview(TOKEN, candidate.address, later())]).await;

    let link = format!("/.ocim/preview/{TOKEN}");
    let opened = gateway.open(HOST, &link, "").await;
    assert_eq!(opened.status, 302, "{opened:?}");
    for header in
        ["location: /", "referrer-policy: no-referrer", "x-robots-tag: noindex", "cache-control: private, no-store"]
    {
        assert!(has(&opened, header), "{header}: {opened:?}");
    }
    let head = opened.head.to_lowercase();
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let parts: Vec<&str> = cookie.split("; ").collect();
    assert_eq!(parts[..3], [format!("ocim_preview={TOKEN}").as_str(), "path=/", "domain=echo.localhost"], "{cookie}");
    let seconds: i64 = parts[3].strip_prefix("max-age=").unwrap().parse().unwrap();
    assert!((3500..=3600).contains(&seconds), "{cookie}");
    assert_eq!(parts[4..], ["httponly", "samesite=lax"], "{cookie}");
    assert!(gateway.application.requests().is_empty() && candidate.requests().is_empty(), "the gateway answers itself");

    let own = format!("ocim_preview={TOKEN}");
    for (cookies, left) in [
        (own.clone(), None),
        (format!("{own}; b=2"), Some("b=2")),
        (format!("a=1; {own}"), Some("a=1")),
        (format!("a=1;{own};b=\"x y\"; c="), Some("a=1;b=\"x y\"; c=")),
        (format!("a=1; {own}; b=2; {own}"), Some("a=1; b=2")),
        (format!("x_ocim_preview=7; {own}; ocim_previews=8"), Some("x_ocim_preview=7; ocim_previews=8")),
    ] {
        let answer = gateway.visit(&cookies).await;
        assert_eq!(answer.status, 200, "{cookies}: {answer:?}");
        assert!(
            has(&answer, "x-robots-tag: noindex") && has(&answer, "cache-control: private, no-store"),
            "{answer:?}"
        );
        let seen = taken(&candidate);
        let cookie = seen.lines().find_map(|line| line.strip_prefix("cookie: "));
        assert_eq!(cookie, left, "{cookies}: {seen}");
        assert!(seen.contains("host: echo.localhost") && !seen.contains(TOKEN));
    }
    assert!(gateway.application.requests().is_empty(), "not one of them reached the active app server");

    for cookies in ["a=1; b=2", "ocim_preview=", "ocim_preview=0000; a=1"] {
        let answer = gateway.visit(cookies).await;
        assert!(answer.status == 200 && !has(&answer, "x-robots-tag: noindex"), "{answer:?}");
        assert!(!taken(&gateway.application).contains("ocim_preview"), "{cookies}");
    }
    assert!(candidate.requests().is_empty());
    let elsewhere = gateway.open("secure.localhost", "/", &format!("Cookie: {own}\r\n")).await;
    assert!(elsewhere.status == 200 && !has(&elsewhere, "x-robots-tag: noindex"), "the link is of another host");
    assert!(!taken(&gateway.application).contains(TOKEN), "no other instance's application gets the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_secure() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    gateway.set(None, None, Scheme::Https, vec![preview(TOKEN, candidate.address, later())]).await;
    let opened = gateway.open(HOST, &format!("/.ocim/preview/{TOKEN}"), "").await;
    assert!(opened.status == 302 && opened.head.contains("; SameSite=Lax; Secure"), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_candidate_is_shown_during_maintenance_and_while_nothing_is_active() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let links = || vec![preview(TOKEN, candidate.address, later())];
    for (active, notice) in [(Some(gateway.application.address), Some("Back at 5.")), (None, None)] {
        gateway.set(active, notice, Scheme::Http, links()).await;
        assert_eq!(gateway.open(HOST, &format!("/.ocim/preview/{TOKEN}"), "").await.status, 302);
        assert_eq!(gateway.visit(&format!("ocim_preview={TOKEN}")).await.status, 200);
        taken(&candidate);
        assert_eq!(gateway.visit("a=1").await.status, 503, "everyone else gets the page");
        assert_eq!(gateway.visit("ocim_preview=0000").await.status, 503);
    }
    assert!(gateway.application.requests().is_empty());
    let question = Question::status(HOST, "/.ocim/preview/x");
    let asked = gateway.inner.ask(gateway.application.address, &question).await.unwrap();
    assert_eq!(asked.status, 200, "ocim's own questions are for the target that they name");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_are_unknown_ended_or_revoked_say_so() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let active = Some(gateway.application.address);
    let ended = preview("ended", candidate.address, Utc::now() - chrono::TimeDelta::seconds(2));
    let soon = preview("soon", candidate.address, Utc::now() + chrono::TimeDelta::seconds(3));
    gateway.set(active, None, Scheme::Http, vec![ended, soon, preview(TOKEN, candidate.address, later())]).await;
    let refused = async |token: &str| {
        let answer = gateway.open(HOST, &format!("/.ocim/preview/{token}"), "").await;
        assert_eq!(answer.status, 404, "{token}: {answer:?}");
        assert!(answer.body.contains("This preview link does not work"), "{}", answer.body);
        assert!(has(&answer, "x-robots-tag: noindex") && has(&answer, "cache-control: no-store"), "{answer:?}");
        assert!(
            answer.head.contains("Set-Cookie: ocim_preview=;") || answer.head.contains("set-cookie: ocim_preview=;")
        );
        gateway.application.forget();
        assert_eq!(gateway.visit(&format!("ocim_preview={token}")).await.status, 200);
        assert!(!taken(&gateway.application).contains("ocim_preview"), "{token}");
    };
    let long = "f".repeat(7000);
    for token in ["ended", "", "x", "..", "%00", "a/b", &long, &TOKEN[..63], &format!("{TOKEN}0")] {
        refused(token).await;
    }
    assert_eq!(gateway.visit("ocim_preview=soon").await.status, 200);
    taken(&candidate);
    // Ends by the gateway's own clock, without being told.
    crate::app::until("the link ends", async || {
        gateway.visit("ocim_preview=soon").await;
        let is_over = candidate.requests().is_empty();
        candidate.forget();
        is_over
    })
    .await;
    refused("soon").await;
    gateway.application.forget();
    assert_eq!(gateway.visit(&format!("ocim_preview={TOKEN}")).await.status, 200);
    taken(&candidate);
    gateway.set(active, None, Scheme::Http, Vec::new()).await;
    refused(TOKEN).await;
    assert!(candidate.requests().is_empty());
    let unknown = gateway.open("nowhere.localhost", &format!("/.ocim/preview/{TOKEN}"), "").await;
    assert!(unknown.status == 404 && unknown.body.contains("No such instance"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_leaves_the_preview() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let active = Some(gateway.application.address);
    gateway.set(active, None, Scheme::Http, vec![preview(TOKEN, candidate.address, later())]).await;
    let left = gateway.open(HOST, "/.ocim/preview/end", &format!("Cookie: ocim_preview={TOKEN}\r\n")).await;
    let head = left.head.to_lowercase();
    assert!(left.status == 302 && head.contains("location: /"), "{left:?}");
    assert!(head.contains("set-cookie: ocim_preview=; path=/; domain=echo.localhost; max-age=0"), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_cookies_are_refused_or_harmless() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let active = Some(gateway.application.address);
    gateway.set(active, None, Scheme::Http, vec![preview(TOKEN, candidate.address, later())]).await;
    let hash = hex::encode(Sha256::digest(TOKEN));
    let long = "x".repeat(25_000);
    for forged in [hash.as_str(), &TOKEN.to_uppercase(), &long, "\"", "%31", "a|b/1", "../../x"] {
        gateway.application.forget();
        let answer = gateway.visit(&format!("a=1; ocim_preview={forged}; b=2")).await;
        assert_eq!(answer.status, 200, "{forged:.80}");
        let seen = taken(&gateway.application);
        assert!(seen.contains("cookie: a=1; b=2") && !seen.contains("ocim_preview"), "{forged:.80}: {seen}");
    }
    let two = format!("Cookie: a=1\r\nCookie: ocim_preview={TOKEN}\r\n");
    assert_eq!(gateway.open(HOST, "/", &two).await.status, 400, "no browser sends two Cookie headers");
    assert!(candidate.requests().is_empty());
    gateway.application.forget();
    assert_eq!(gateway.open(HOST, "/", "Cookie: a=1\r\nCookie: b=2\r\n").await.status, 200, "but others may");
    let seen = taken(&gateway.application);
    assert!(seen.contains("cookie: a=1\r\ncookie: b=2"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_with_the_cookie_is_the_candidates_and_counts_there() {
    let (gateway, candidate) = (Gateway::start().await, Application::start().await);
    let active = gateway.application.address;
    gateway.set(Some(active), None, Scheme::Http, vec![preview(TOKEN, candidate.address, later())]).await;
    let request = format!(
        "GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: a=1; ocim_preview={TOKEN}\r\n\r\n"
    );
    let mut stream = super::visitor::connect(gateway.listen, "127.0.0.1".parse().unwrap()).await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    let read = tokio::io::AsyncReadExt::read_exact(&mut stream, &mut head);
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let seen = taken(&candidate);
    assert!(seen.contains("upgrade: websocket") && seen.contains("cookie: a=1\r\n"), "{seen}");
    assert_eq!(gateway.inner.open_connections(candidate.address).await.unwrap(), 1);
    assert_eq!(gateway.inner.open_connections(active).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_gateway_keeps_the_links() {
    let (gateway, candidate) = (Gateway::with(CONNECTIONS, |_| {}).await, Application::start().await);
    let active = Some(gateway.application.address);
    gateway.set(active, None, Scheme::Http, vec![preview(TOKEN, candidate.address, later())]).await;
    gateway.crash_and_come_back().await;
    assert_eq!(gateway.visit(&format!("ocim_preview={TOKEN}")).await.status, 200);
    taken(&candidate);
}
