//! The real program on the cloud, whose servers have guests: a launch with real Ansible, activation and switches under load,
//! and the conformance suite of `ocim admin check-provider`.

use std::panic::AssertUnwindSafe;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use futures::FutureExt;
use ocim::config::Settings;
use ocim::config::gateway::GatewaySettings;
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

use super::timing::CloudTimes;
use super::user::User;
use super::variable;
use crate::app::{Answer, Client, Credentials, Database, http, own_address, until_within};

const LONG: Duration = Duration::from_secs(400);
const PASSWORD: &str = "seven otters juggle lamps";
/// The sites of the instance.
const HOSTS: [&str; 2] = ["demo.localhost", "studio.demo.localhost"];
/// Between two requests of a visitor; with eight of them 160 requests a second.
const PAUSE: Duration = Duration::from_millis(50);

/// The program with the settings of the cloud; `OS_…` is inherited.
fn program(data_dir: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.env("OCIM_DATA_DIR", data_dir).env("OCIM_PROVIDER", "openstack").env("OPENSTACK_NETWORK", "private");
    command.env("OPENSTACK_SANDBOX_BASE_IMAGE", "debian-12*").env("OPENSTACK_SANDBOX_SSH_USERNAME", "debian");
    command.env("OPENSTACK_SANDBOX_FLAVOR", r#"{"ram": 512}"#).env("OPENSTACK_SANDBOX_PYTHON", "/usr/bin/python3");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

struct Story {
    admin: Client,
    gateway: String,
}

impl Story {
    async fn launched(&self, instance: i64) -> i64 {
        let path = format!("/api/v1/instances/{instance}/app-servers");
        self.admin.post(&path, json!({})).await.expect(202)["id"].as_i64().unwrap()
    }

    async fn app_server(&self, id: i64) -> Value {
        self.admin.get(&format!("/api/v1/app-servers/{id}")).await.expect(200)
    }

    async fn until_running(&self, id: i64) {
        until_within(LONG, "the app server is running", async || {
            let read = self.app_server(id).await;
            let status = read["status"].as_str().unwrap().to_owned();
            assert!(!["failed", "error", "stopped"].contains(&status.as_str()), "{read:#}");
            status == "running"
        })
        .await;
    }

    async fn lines(&self, id: i64) -> Vec<Value> {
        let page = self.admin.get(&format!("/api/v1/app-servers/{id}/logs?limit=500")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    async fn log(&self, id: i64) -> Vec<String> {
        self.lines(id).await.iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    async fn activate(&self, id: i64) {
        let request = self.admin.request(Method::POST, &format!("/api/v1/app-servers/{id}/activate"));
        Answer::to(request.header("prefer", "wait=30").timeout(LONG).json(&json!({}))).await.expect(200);
    }

    /// What each site answers now.
    async fn pages(&self) -> Vec<String> {
        let mut pages = Vec::new();
        for host in HOSTS {
            let http = http().build().unwrap();
            let page = http.get(format!("http://{}/", self.gateway)).header("host", host).send().await.unwrap();
            assert_eq!(page.status(), 200, "{host}");
            pages.push(page.text().await.unwrap());
        }
        pages
    }
}

/// Visitors of both sites, until they are told to stop; gives how many requests were answered, and what went wrong.
struct Load {
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    visitors: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(gateway: &str) -> Self {
        let (is_over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let visitors = (0..8).map(|number| {
            let (is_over, answered, url) = (is_over.clone(), answered.clone(), format!("http://{gateway}/"));
            tokio::spawn(async move {
                let http = http().timeout(Duration::from_secs(10)).build().unwrap();
                let mut wrong = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let host = HOSTS[number % HOSTS.len()];
                    match http.get(&url).header("host", host).send().await {
                        Ok(answer) if answer.status() == 200 => {
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(answer) => wrong.push(answer.status().to_string()),
                        Err(error) => wrong.push(error.to_string()),
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                wrong
            })
        });
        let visitors = visitors.collect();
        Self { is_over, answered, visitors }
    }

    async fn end(self) -> (usize, Vec<String>) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut wrong = Vec::new();
        for visitor in self.visitors {
            wrong.extend(visitor.await.unwrap());
        }
        (self.answered.load(Ordering::Relaxed), wrong)
    }
}

async fn story(story: &Story) {
    let instance = story.admin.post("/api/v1/instances", json!({ "name": "demo", "sub_domain": "demo" })).await;
    let instance = instance.expect(201)["id"].as_i64().unwrap();
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let (begun, posted) = (Instant::now(), Utc::now());
    let first = story.launched(instance).await;
    let ((), cloud) = tokio::join!(story.until_running(first), CloudTimes::watch(&user));
    println!("from POST to running through Nova and Ansible: {:?}", begun.elapsed());
    cloud.compare(posted, &story.lines(first).await);
    for line in story.log(first).await.iter().filter(|line| line.starts_with("VM ") || line.contains("cloud-init")) {
        println!("  {line}");
    }
    let waited = "The VM lets us in; waiting for the end of its cloud-init";
    assert!(story.log(first).await.iter().any(|line| line == waited), "playbooks wait for cloud-init");
    let begun = Instant::now();
    story.activate(first).await;
    println!("activated: {:?}", begun.elapsed());

    let load = Load::start(&story.gateway);
    let before = story.pages().await;
    let second = story.launched(instance).await;
    story.until_running(second).await;
    for (to, is_new) in [(second, true), (first, false), (second, true)] {
        story.activate(to).await;
        until_within(Duration::from_secs(2), "the switch is seen", async || {
            story.pages().await.iter().zip(&before).all(|(now, before)| (now != before) == is_new)
        })
        .await;
    }
    let (answered, wrong) = load.end().await;
    println!("{answered} requests answered during a launch and three switches, {} failed: {wrong:?}", wrong.len());
    assert!(wrong.is_empty() && answered > 1000);

    let begun = Instant::now();
    let request = story.admin.request(Method::POST, &format!("/api/v1/app-servers/{first}/terminate"));
    until_within(LONG, "it has drained", async || {
        let request = request.try_clone().unwrap().header("prefer", "wait=30").json(&json!({}));
        Answer::to(request).await.status == 200
    })
    .await;
    println!("drained and terminated: {:?}", begun.elapsed());
    let server = story.app_server(first).await["server"].clone();
    assert_eq!((&server["status"], &server["provider"]), (&json!("terminated"), &json!("openstack")));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an OpenStack control plane with guests: make test-openstack"]
async fn a_launch_with_real_ansible_runs_is_activated_and_switched_under_load() {
    let database = Database::migrated().await;
    let dir = tempfile::tempdir().unwrap();
    let (listen, gateway) = (own_address(), own_address());
    let mut command = program(dir.path());
    command.arg("server").env("DATABASE_URL", database.url()).env("OCIM_LISTEN", &listen);
    command.env("OCIM_GATEWAY_LISTEN", &gateway).env("OCIM_ADMIN_PASSWORD", PASSWORD);
    command.env("OCIM_SECRET_KEYS", format!("k:{}", "00".repeat(32))).env("INSTANCES_BASE_DOMAIN", "localhost");
    let mut running = command.spawn().unwrap();
    let http = http().pool_max_idle_per_host(0).build().unwrap();
    let base = format!("http://{listen}");
    until_within(LONG, "the program answers", async || {
        http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200)
    })
    .await;
    let login =
        http.post(format!("{base}/api/v1/auth/login")).json(&json!({ "username": "admin", "password": PASSWORD }));
    let login = Answer::to(login).await;
    let cookie = login.header("set-cookie").split([';', '=']).nth(1).unwrap().to_owned();
    let admin = Client::at(http, base, Credentials::Cookie(cookie));
    let told = Story { admin, gateway: gateway.clone() };
    let told = AssertUnwindSafe(story(&told)).catch_unwind().await;
    running.kill().await.unwrap();
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    user.clear().await;
    // With an external database, the gateway outlives the program.
    let settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = gateway.parse().unwrap());
    let settings = GatewaySettings::new(&settings).unwrap();
    let config = GatewayConfig { settings, dir: dir.path().join("gateway"), connections: 1000 };
    HaproxyGateway::start(config).await.unwrap().stop().await.unwrap();
    database.discard();
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs an OpenStack control plane with guests: make test-openstack"]
async fn the_cloud_keeps_the_contract_of_providers() {
    let dir = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = program(dir.path()).args(["admin", "check-provider", "openstack"]).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    println!("{said}the conformance suite: {:?}", begun.elapsed());
    assert!(output.status.success() && !said.contains("skipped"), "{said}");
    assert!(User::log_in(&variable("OS_PROJECT_NAME")).await.servers().await.is_empty());
}
