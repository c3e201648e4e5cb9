//! HTTPS at a real HAProxy: which certificate a name gets, how visitors by HTTP are treated, renewals under load, answers to
//! certificate authorities.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ocim::config::gateway::{GatewaySettings, Scheme};
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway, HaproxyRoutes};
use ocim::routing::traffic::{
    Certificate, CertificateSource, Challenge, Question, Revisions, Route, Traffic, TrafficError,
};
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use shared_types::CertificateId;
use shared_types::https::HttpsPolicy;
use tokio::process::Command;

use super::Gateway;
use crate::app::{http, ports, until};

/// Certificates in memory, each of its own authority.
#[derive(Debug, Default)]
struct Store(BTreeMap<CertificateId, Certificate>);

#[async_trait]
impl CertificateSource for Store {
    async fn certificates(&self, ids: &[CertificateId]) -> Result<Vec<Certificate>, TrafficError> {
        Ok(ids.iter().filter_map(|id| self.0.get(id).cloned()).collect())
    }
}

impl Store {
    /// Makes a new certificate of this id and these names.
    fn issue(&mut self, id: i64, revision: i64, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let own = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let (chain, key) = (own.cert.pem(), own.signing_key.serialize_pem().into());
        self.0.insert(CertificateId(id), Certificate { id: CertificateId(id), revision, names, chain, key });
    }

    fn revisions(&self) -> Revisions {
        self.0.values().map(|one| (one.id, one.revision)).collect()
    }

    async fn give(&self, gateway: &Gateway) -> Result<(), TrafficError> {
        gateway.inner.set_certificates(&self.revisions(), self).await
    }

    fn authority(&self, id: i64) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.0[&CertificateId(id)].chain.as_bytes()).unwrap()
    }
}

/// A gateway that serves HTTPS at the second address.
async fn gateway() -> (Gateway, SocketAddr) {
    let tls = ports::reserved();
    let gateway = Gateway::with(400, |settings| settings.gateway.ocim_gateway_listen_tls = Some(tls)).await;
    for (hostname, https) in [
        ("a.example", HttpsPolicy::Redirect),
        ("strict.example", HttpsPolicy::Strict),
        ("optional.example", HttpsPolicy::Optional),
        ("deep.wild.example", HttpsPolicy::Redirect),
        ("bare.example", HttpsPolicy::Redirect),
    ] {
        let target = Some(gateway.application.address);
        let route = Route {
            hostname: hostname.to_owned(),
            target,
            notice: None,
            scheme: Scheme::Https,
            https,
            previews: Vec::new(),
        };
        gateway.inner.apply(&[route]).await.unwrap();
    }
    (gateway, tls)
}

/// A visitor who trusts this authority alone, and finds every name at the gateway.
fn visitor(authority: reqwest::Certificate, names: &[&str], at: SocketAddr) -> reqwest::Client {
    let client = http().tls_certs_only([authority]).redirect(Policy::none()).timeout(Duration::from_secs(10));
    names.iter().fold(client, |client, name| client.resolve(name, at)).build().unwrap()
}

async fn get(client: &reqwest::Client, name: &str, at: SocketAddr) -> Result<reqwest::Response, reqwest::Error> {
    client.get(format!("https://{name}:{}/", at.port())).send().await
}

/// The head of the answer to a visitor by HTTP, in lower case.
async fn by_http(gateway: &Gateway, host: &str) -> String {
    let request = format!("GET /x?y=1 HTTP/1.1\r\nHost: {host}\r\n\r\n");
    gateway.send("127.0.0.1", request.as_bytes()).await[0].head.to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_gets_its_own_certificate_and_no_other_one() {
    let (gateway, tls) = gateway().await;
    let mut store = Store::default();
    store.issue(1, 1, &["a.example", "strict.example", "optional.example"]);
    store.issue(2, 1, &["*.wild.example"]);
    store.give(&gateway).await.unwrap();
    let own = visitor(store.authority(1), &["a.example", "strict.example", "bare.example"], tls);
    let wild = visitor(store.authority(2), &["deep.wild.example", "a.example"], tls);
    gateway.application.forget();
    assert_eq!(get(&own, "a.example", tls).await.unwrap().status(), 200);
    let head = gateway.application.requests()[0].head.to_lowercase();
    let port = format!("x-forwarded-port: {}\r\n", tls.port());
    assert!(head.contains("x-forwarded-proto: https\r\n") && head.contains(&port), "{head}");
    assert_eq!(get(&wild, "deep.wild.example", tls).await.unwrap().status(), 200);
    assert!(get(&wild, "a.example", tls).await.is_err(), "it has another certificate");
    assert!(get(&own, "bare.example", tls).await.is_err(), "it has none");

    // Renewed, withdrawn, and kept over a start of HAProxy.
    store.issue(1, 2, &["a.example"]);
    store.0.remove(&CertificateId(2));
    store.give(&gateway).await.unwrap();
    let again = visitor(store.authority(1), &["a.example"], tls);
    assert_eq!(get(&again, "a.example", tls).await.unwrap().status(), 200);
    let fresh = visitor(rcgen_authority(), &["a.example"], tls);
    assert!(get(&fresh, "a.example", tls).await.is_err());
    let directory = gateway._directory.path().join("gateway/certificates");
    let mut files: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["1.2.pem", "list"]);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(directory.join("1.2.pem")).unwrap());
    assert_eq!(mode & 0o777, 0o600, "others may read the key");
    gateway.inner.stop().await.unwrap();
    let settings = ocim::config::Settings::with(|settings| {
        settings.gateway.ocim_gateway_listen = gateway.listen;
        settings.gateway.ocim_gateway_listen_tls = Some(tls);
    });
    let settings = GatewaySettings::new(&settings).unwrap();
    let dir = gateway._directory.path().join("gateway");
    let started = HaproxyGateway::start(GatewayConfig { settings, dir, connections: 400 }).await.unwrap();
    let again = visitor(store.authority(1), &["a.example"], tls);
    assert_eq!(get(&again, "a.example", tls).await.unwrap().status(), 200);
    started.stop().await.unwrap();
}

/// An authority that has signed nothing.
fn rcgen_authority() -> reqwest::Certificate {
    let own = rcgen::generate_simple_self_signed(vec!["other.example".to_owned()]).unwrap();
    reqwest::Certificate::from_pem(own.cert.pem().as_bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_by_http_are_sent_to_https_where_a_certificate_is() {
    let (gateway, tls) = gateway().await;
    let mut store = Store::default();
    store.issue(1, 1, &["a.example", "strict.example", "optional.example"]);
    store.issue(2, 1, &["*.wild.example"]);
    assert!(by_http(&gateway, "a.example").await.starts_with("http/1.1 200"), "it has no certificate yet");
    store.give(&gateway).await.unwrap();
    for host in ["a.example", "strict.example", "deep.wild.example"] {
        let head = by_http(&gateway, host).await;
        let location = format!("location: https://{host}:{}/x?y=1", tls.port());
        assert!(head.starts_with("http/1.1 308") && head.contains(&location), "{head}");
        assert!(!head.contains("strict-transport-security"), "{head}");
    }
    for host in ["optional.example", "bare.example", "echo.localhost"] {
        assert!(by_http(&gateway, host).await.starts_with("http/1.1 200"), "{host}");
    }
    let names = ["a.example", "strict.example"];
    let own = visitor(store.authority(1), &names, tls);
    let mut hsts = Vec::new();
    for name in names {
        let answer = get(&own, name, tls).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        hsts.push(answer.headers().get("strict-transport-security").map(|value| value.to_str().unwrap().to_owned()));
    }
    assert_eq!(hsts, [None, Some("max-age=31536000".to_owned())]);
    let question = Question::status("a.example", "/");
    assert_eq!(gateway.inner.ask(gateway.application.address, &question).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_spoken_and_looks_like_http_1_to_applications() {
    let (gateway, tls) = gateway().await;
    let mut store = Store::default();
    store.issue(1, 1, &["a.example"]);
    store.give(&gateway).await.unwrap();
    gateway.application.forget();
    let file = gateway._directory.path().join("authority.pem");
    std::fs::write(&file, &store.0[&CertificateId(1)].chain).unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--http2", "--max-time", "10", "--output", "/dev/null"]);
    curl.args(["--write-out", "%{http_version} %{http_code}", "--header", "X-Forwarded-Proto: http"])
        .arg("--cacert")
        .arg(file);
    curl.args(["--resolve", &format!("a.example:{}:{}", tls.port(), tls.ip())]);
    let said =
        curl.arg(format!("https://a.example:{}/p?q=%20", tls.port())).stdin(Stdio::null()).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "2 200", "{said:?}");
    let head = gateway.application.requests()[0].head.to_lowercase();
    assert!(head.starts_with("get /p?q=%20 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: a.example:{}\r\n", tls.port())), "{head}");
    assert!(head.contains("x-forwarded-proto: https\r\n") && !head.contains("x-forwarded-proto: http\r\n"), "{head}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_haproxy_refuses_is_named_and_keeps_no_other_from_visitors() {
    let (gateway, tls) = gateway().await;
    let mut store = Store::default();
    store.issue(1, 1, &["bad.example"]);
    store.issue(2, 1, &["a.example"]);
    store.issue(3, 1, &["long.example"]);
    store.0.get_mut(&CertificateId(1)).unwrap().key =
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".into();
    let long = store.0.get_mut(&CertificateId(3)).unwrap();
    long.chain = long.chain.repeat(100);
    let words = store.give(&gateway).await.unwrap_err().0;
    assert!(words.contains("the certificate of bad.example: the gateway refused it"), "{words}");
    assert!(words.contains("the certificate of long.example: it has ") && !words.contains("a.example"), "{words}");
    let own = visitor(store.authority(2), &["a.example"], tls);
    assert_eq!(get(&own, "a.example", tls).await.unwrap().status(), 200);
    let list = std::fs::read_to_string(gateway._directory.path().join("gateway/certificates/list")).unwrap();
    assert!(list.contains("2.1.pem") && !list.contains("1.1.pem") && !list.contains("3.1.pem"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_renewals_lose_no_request() {
    let (gateway, tls) = gateway().await;
    let mut store = Store::default();
    store.issue(1, 1, &["a.example"]);
    store.give(&gateway).await.unwrap();
    let (asked, failed, is_over) =
        (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    // Renewals have other keys: whether one is trusted is not what is asked here.
    let client = |idle| {
        let client = http().tls_danger_accept_invalid_certs(true).pool_max_idle_per_host(idle);
        client.resolve("a.example", tls).timeout(Duration::from_secs(10)).build().unwrap()
    };
    let visits: Vec<_> = [client(10), client(0), client(0)]
        .into_iter()
        .map(|client| {
            let (asked, failed, is_over) = (asked.clone(), failed.clone(), is_over.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let answer = get(&client, "a.example", tls).await;
                    asked.fetch_add(1, Ordering::Relaxed);
                    if !answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for revision in 2..=51 {
        store.issue(1, revision, &["a.example"]);
        store.give(&gateway).await.unwrap();
        let own = visitor(store.authority(1), &["a.example"], tls);
        assert_eq!(get(&own, "a.example", tls).await.unwrap().status(), 200, "revision {revision} is served at once");
    }
    is_over.store(true, Ordering::Relaxed);
    for visit in visits {
        visit.await.unwrap();
    }
    let (asked, failed) = (asked.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    println!("50 renewals: {asked} requests, {failed} failed");
    assert!(asked > 200, "{asked}");
    assert_eq!(failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_authorities_are_answered_at_every_name() {
    let (gateway, _) = gateway().await;
    let challenge = |token: &str, answer: &str| Challenge { token: token.to_owned(), answer: answer.to_owned() };
    let ask = async |host: &str, token: &str| {
        let request = format!("GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let answer = gateway.send("127.0.0.1", request.as_bytes()).await.remove(0);
        (answer.status, answer.body)
    };
    gateway.inner.set_challenges(&[challenge("t-1", "t-1.key"), challenge("t_2", "t_2.key")]).await.unwrap();
    for host in ["a.example", "idle.localhost", "not-there-yet.example"] {
        assert_eq!(ask(host, "t-1").await, (200, "t-1.key".to_owned()), "{host}");
    }
    // Others are the application's.
    gateway.application.forget();
    assert_eq!(ask("echo.localhost", "t-9").await.0, 200);
    assert_eq!(gateway.application.requests().len(), 1);
    gateway.inner.set_challenges(&[challenge("t_2", "t_2.key")]).await.unwrap();
    assert_eq!(ask("not-there-yet.example", "t-1").await.0, 404);
    assert_eq!(ask("not-there-yet.example", "t_2").await, (200, "t_2.key".to_owned()));
    for wrong in [challenge("a b", "x"), challenge("a", "x\ny"), challenge("", "x")] {
        assert!(gateway.inner.set_challenges(&[wrong]).await.is_err());
    }
}

#[tokio::test]
async fn a_gateway_without_https_says_so() {
    let gateway = Gateway::start().await;
    let mut store = Store::default();
    store.give(&gateway).await.unwrap();
    store.issue(1, 1, &["a.example"]);
    let words = store.give(&gateway).await.unwrap_err().0;
    assert!(words.contains("set OCIM_GATEWAY_LISTEN_TLS"), "{words}");
}

#[tokio::test]
async fn a_haproxy_of_an_earlier_version_takes_routes_until_it_is_reloaded() {
    let directory = tempfile::tempdir().unwrap();
    let (dir, listen) = (directory.path(), ports::reserved());
    let text = format!(
        "global\n    stats socket unix@runtime mode 600 level admin\ndefaults\n    mode http\n    timeout client 5s\n    \
         timeout server 5s\n    timeout connect 5s\nfrontend visitors\n    bind {listen}\n    \
         http-request return status 200 lf-string \"%[req.hdr(host),map(routes.map)]\" content-type text/plain\n"
    );
    std::fs::write(dir.join("haproxy.cfg"), text).unwrap();
    std::fs::write(dir.join("routes.map"), "").unwrap();
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f", "haproxy.cfg", "-C"]).arg(dir).stdin(Stdio::null()).kill_on_drop(true);
    let _haproxy = haproxy.spawn().unwrap();
    let settings = ocim::config::Settings::with(|settings| settings.gateway.ocim_gateway_listen = listen);
    let settings = GatewaySettings::new(&settings).unwrap();
    let routes = HaproxyRoutes::new(&GatewayConfig { settings, dir: dir.to_owned(), connections: 100 });
    until("it answers", async || routes.answers().await.is_ok()).await;
    routes.set_challenges(&[Challenge { token: "t".to_owned(), answer: "t.k".to_owned() }]).await.unwrap();
    let target = Some(SocketAddr::from(([10, 0, 0, 7], 80)));
    let (https, previews) = (HttpsPolicy::Redirect, Vec::new());
    let route = Route { hostname: "a.example".into(), target, notice: None, scheme: Scheme::Http, https, previews };
    routes.replace_all(&[route]).await.unwrap();
    let answer = http().build().unwrap().get(format!("http://{listen}/")).header("host", "a.example").send().await;
    assert_eq!(answer.unwrap().text().await.unwrap(), "10.0.0.7|80/http");
    assert_eq!(std::fs::read_to_string(dir.join("challenges.map")).unwrap(), "t t.k\n", "the next start reads it");
}
