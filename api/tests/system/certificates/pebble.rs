//! Pebble, a server of ACME for tests, with the DNS of `pebble-challtestsrv`: both end with the test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ocim::certificates::acme::{Acme, AcmeSettings};
use ocim::certificates::challenges::{ChallengeError, Challenges, Dns01, DnsChallenges, Http01};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::app::ports::reserved;
use crate::app::{http, until};

/// Whether the programs are installed; says so if not.
pub fn is_installed() -> bool {
    let found = Command::new("pebble").arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        println!("skipped: pebble is not installed");
    }
    found
}

/// How the server behaves.
#[derive(Clone, Copy)]
pub struct Mood {
    /// The share of nonces that it refuses, in percent.
    pub bad_nonces: u32,
    /// The most seconds that it waits before it validates a name.
    pub slow_seconds: u32,
}

pub struct Pebble {
    directory: String,
    ca_file: PathBuf,
    dns: SocketAddr,
    /// The port where it asks for answers by HTTP.
    pub http_port: u16,
    children: Vec<Child>,
    _dir: TempDir,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Pebble {
    pub async fn start(mood: Mood) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let (ca_file, key_file) = (dir.path().join("ca.pem"), dir.path().join("key.pem"));
        std::fs::write(&ca_file, own.cert.pem()).unwrap();
        std::fs::write(&key_file, own.signing_key.serialize_pem()).unwrap();
        let [listen, management, names, control] = [(); 4].map(|()| reserved());
        let http_port = reserved().port();
        let config = json!({ "pebble": {
            "listenAddress": listen.to_string(), "managementListenAddress": management.to_string(),
            "certificate": ca_file, "privateKey": key_file, "httpPort": http_port, "tlsPort": reserved().port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": false,
        }});
        let config_file = dir.path().join("pebble.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let log = std::fs::File::create(dir.path().join("pebble.log")).unwrap();
        let server = Command::new("pebble")
            .arg("-config")
            .arg(&config_file)
            .args(["-dnsserver", &names.to_string()])
            .env("PEBBLE_WFE_NONCEREJECT", mood.bad_nonces.to_string())
            .env("PEBBLE_VA_SLEEPTIME", mood.slow_seconds.to_string())
            .env("PEBBLE_VA_NOSLEEP", if mood.slow_seconds == 0 { "1" } else { "0" })
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let resolver = Command::new("pebble-challtestsrv")
            .args(["-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv6", "", "-defaultIPv4", "127.0.0.1"])
            .args(["-dns01", &names.to_string(), "-management", &control.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let directory = format!("https://{listen}/dir");
        let pebble = Self { directory, ca_file, dns: control, http_port, children: vec![server, resolver], _dir: dir };
        until("Pebble answers", async || pebble.read_directory().await.is_some()).await;
        let answers = async || pebble.try_tell("clear-a", json!({ "host": "none.example.test" })).await.is_some();
        until("its DNS answers", answers).await;
        pebble
    }

    /// The authority's directory; none while it does not answer.
    pub async fn read_directory(&self) -> Option<Value> {
        let authority = reqwest::Certificate::from_pem(&std::fs::read(&self.ca_file).unwrap()).unwrap();
        let client = http().tls_certs_only([authority]).timeout(Duration::from_secs(5)).build().unwrap();
        client.get(&self.directory).send().await.ok()?.json().await.ok()
    }

    /// A client of it; `directory`: another URL of the directory.
    pub fn authority(&self, directory: Option<String>) -> Arc<Acme> {
        let settings = AcmeSettings {
            directory: directory.unwrap_or_else(|| self.directory.clone()),
            contact: Some("operators@example.test".to_owned()),
            agrees_to_terms: true,
            ca_file: Some(self.ca_file.clone()),
            external_account: None,
        };
        Arc::new(Acme::new(settings).unwrap())
    }

    async fn try_tell(&self, what: &str, body: Value) -> Option<()> {
        let sent = http().build().unwrap().post(format!("http://{}/{what}", self.dns)).body(body.to_string()).send();
        sent.await.ok()?.error_for_status().ok().map(drop)
    }

    /// Changes what its DNS answers.
    pub async fn tell(&self, what: &str, body: Value) {
        self.try_tell(what, body).await.expect("its DNS does not answer");
    }
}

/// Answers of a gateway: a web server that knows only the answers.
#[derive(Debug, Clone, Default)]
pub struct Gateway {
    answers: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Gateway {
    /// Begins to answer at this port of loopback.
    pub async fn start(port: u16) -> Self {
        let gateway = Self::default();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let answers = gateway.answers.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answers = answers.clone();
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    let read = stream.read(&mut head).await.unwrap_or_default();
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let token = path.strip_prefix("/.well-known/acme-challenge/").unwrap_or_default();
                    let answer = answers.lock().unwrap().get(token).cloned();
                    let (status, body) =
                        answer.map_or(("404 Not Found", "no such answer".to_owned()), |body| ("200 OK", body));
                    let answer = format!(
                        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                        body.len()
                    );
                    stream.write_all(answer.as_bytes()).await.unwrap_or_default();
                });
            }
        });
        gateway
    }

    /// How many answers are published.
    pub fn count(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

#[async_trait]
impl Challenges for Gateway {
    async fn put(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        let own = answers.iter().map(|one| (one.token.clone(), one.key_authorization.clone()));
        self.answers.lock().unwrap().extend(own);
        Ok(())
    }

    async fn remove(&self, answers: &[Http01]) -> Result<(), ChallengeError> {
        self.answers.lock().unwrap().retain(|token, _| answers.iter().all(|one| one.token != *token));
        Ok(())
    }
}

#[derive(Debug)]
pub struct TestDns(SocketAddr);

impl Pebble {
    /// A port to its DNS.
    pub fn dns(&self) -> Arc<TestDns> {
        Arc::new(TestDns(self.dns))
    }
}

impl TestDns {
    async fn send(&self, what: &str, body: Value) -> Result<(), ChallengeError> {
        let sent =
            http().build().unwrap().post(format!("http://{}/{what}", self.0)).body(body.to_string()).send().await;
        sent.map(drop).map_err(|error| ChallengeError::Failed(error.to_string()))
    }
}

#[async_trait]
impl DnsChallenges for TestDns {
    async fn put(&self, answers: &[Dns01]) -> Result<(), ChallengeError> {
        for Dns01 { name, value } in answers {
            self.send("set-txt", json!({ "host": format!("{name}."), "value": value })).await?;
        }
        Ok(())
    }

    async fn remove(&self, answers: &[Dns01]) -> Result<(), ChallengeError> {
        for Dns01 { name, .. } in answers {
            self.send("clear-txt", json!({ "host": format!("{name}.") })).await?;
        }
        Ok(())
    }
}
