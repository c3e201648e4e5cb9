//! A browser posts a Django form through TLS proxy and gateway. Only in `make test-traffic`, which installs Django.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ocim::config::gateway::Scheme;
use ocim::routing::traffic::{Question, Traffic};

use super::{CONNECTIONS, Gateway};
use crate::app::{http, ports};

/// A child process that is killed on drop.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn site(python: &str) -> (Running, SocketAddr) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/traffic/django_site.py");
    let mut child = Command::new(python).arg(script).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
    (Running(child), SocketAddr::from(([127, 0, 0, 1], port.trim().parse().unwrap())))
}

fn proxy(directory: &Path, gateway: SocketAddr) -> (Running, SocketAddr) {
    let listen = ports::reserved();
    let (key, certificate) = (directory.join("key.pem"), directory.join("certificate.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=django.localhost"])
        .args([
            "-addext",
            "subjectAltName=DNS:django.localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-keyout",
        ])
        .args([&key, Path::new("-out"), &certificate])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let both = std::fs::read_to_string(&certificate).unwrap() + &std::fs::read_to_string(&key).unwrap();
    let pair = directory.join("both.pem");
    std::fs::write(&pair, both).unwrap();
    let text = include_str!("tls.cfg")
        .replace("{port}", &listen.port().to_string())
        .replace("{certificate}", pair.to_str().unwrap())
        .replace("{gateway}", &gateway.to_string());
    let file = directory.join("tls.cfg");
    std::fs::write(&file, text).unwrap();
    let path = format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap());
    let child = Command::new("haproxy").env("PATH", path).arg("-db").arg("-f").arg(file).spawn().unwrap();
    (Running(child), listen)
}

/// A browser without a cookie store, so that the test sees the cookies.
async fn browser(directory: &Path, proxy: SocketAddr) -> reqwest::Client {
    let certificate = std::fs::read(directory.join("certificate.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&certificate).unwrap();
    let browser = http()
        .tls_certs_only([certificate])
        .redirect(reqwest::redirect::Policy::none())
        .resolve("django.localhost", proxy)
        .build()
        .unwrap();
    let began = Instant::now();
    while tokio::net::TcpStream::connect(proxy).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "the proxy with TLS does not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn a_django_form_with_csrf_works_behind_a_proxy_with_tls() {
    let Ok(python) = std::env::var("OCIM_TRAFFIC_PYTHON") else { return };
    let directory = tempfile::tempdir().unwrap();
    let gateway =
        Gateway::with(CONNECTIONS, |settings| settings.gateway.ocim_gateway_trusted_proxies = vec!["127.0.0.5".into()])
            .await;
    let (_site, address) = site(&python);
    gateway.route("django.localhost", address, Scheme::Https).await;
    let (_proxy, listen) = proxy(directory.path(), gateway.listen);
    let browser = browser(directory.path(), listen).await;

    let url = format!("https://django.localhost:{}/form/", listen.port());
    let page = browser.get(&url).send().await.unwrap();
    assert_eq!(page.status(), 200, "no redirect to TLS, since it is TLS: {page:?}");
    let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; Secure"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let token = page.split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    let origin = format!("https://django.localhost:{}", listen.port());
    let post = async |origin: &str| {
        let request = browser.post(&url).header("cookie", &cookie).header("origin", origin).header("referer", &url);
        let body = format!("name=Ada&csrfmiddlewaretoken={token}");
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    };
    let answer = post(&origin).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(answer.text().await.unwrap(), format!("Ada from 127.0.0.1 at {url}"));
    assert_eq!(post("https://evil.example").await.status(), 403, "another site's form is refused");

    let checked = gateway.inner.ask(address, &Question::status("django.localhost", "/form/")).await;
    assert_eq!(checked.map(|answer| answer.status), Ok(200), "a check gets what a visitor gets, not a redirect to TLS");
    let plain = gateway.send("127.0.0.1", b"GET /form/ HTTP/1.1\r\nHost: django.localhost\r\n\r\n").await;
    assert_eq!(plain[0].status, 200, "the protocol of the instance is https");
    println!("a Django form was sent through a proxy with TLS and the gateway");
}
