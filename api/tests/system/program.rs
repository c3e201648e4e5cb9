//! The program as a process of its own, with an instance of the demo, and visitors of its sites.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::app::{Answer, Client, http, own_address, until_within};

/// How long a build may take.
pub const LONG: Duration = Duration::from_secs(400);
const PASSWORD: &str = "seven otters juggle lamps";
/// The sites of the demo.
pub const HOSTS: [&str; 2] = ["demo.localhost", "studio.demo.localhost"];
/// Between two requests of a visitor; with eight of them 160 requests a second.
const PAUSE: Duration = Duration::from_millis(50);

/// A running `ocim server`, which is killed if this is dropped.
pub struct Program {
    pub process: Child,
    /// A client with the administrator's session.
    pub admin: Client,
    /// The address of its gateway.
    pub gateway: String,
}

impl Program {
    /// Starts the program, with the settings in the environment of `command`, and waits until it answers.
    pub async fn start(mut command: Command) -> Self {
        let (listen, gateway) = (own_address(), own_address());
        command.arg("server").env("OCIM_LISTEN", &listen).env("OCIM_GATEWAY_LISTEN", &gateway);
        command.env("OCIM_ADMIN_PASSWORD", PASSWORD).env("INSTANCES_BASE_DOMAIN", "localhost");
        let process = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let http = http().pool_max_idle_per_host(0).build().unwrap();
        let base = format!("http://{listen}");
        until_within(LONG, "the program answers", async || {
            http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        let admin = Client::of_admin(http, base, PASSWORD).await;
        Self { process, admin, gateway }
    }

    /// Ends it in order, with its database, its gateway and the local machines that are left.
    pub async fn stop(mut self) {
        let pid = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        assert!(self.process.wait().await.unwrap().success());
    }

    /// A new instance of the demo; gives its id.
    pub async fn instance(&self) -> i64 {
        let made = self.admin.post("/api/v1/instances", json!({ "name": "demo", "sub_domain": "demo" })).await;
        made.expect(201)["id"].as_i64().unwrap()
    }

    /// Sets the provider of an instance's next machines.
    pub async fn choose(&self, instance: i64, provider: &str) {
        let path = format!("/api/v1/instances/{instance}");
        let etag = self.admin.get(&path).await.expect(200)["etag"].as_str().unwrap().to_owned();
        self.admin.patch(&path, &etag, json!({ "provider": provider })).await.expect(200);
    }

    /// Archives an instance, and waits until its machines are deleted.
    pub async fn archive(&self, instance: i64, app_servers: &[i64]) {
        let archived = self.admin.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await;
        archived.expect(200);
        for id in app_servers {
            until_within(LONG, "the machine is deleted", async || {
                self.app_server(*id).await["server"]["status"] == "terminated"
            })
            .await;
        }
    }

    /// Launches an app server; gives its id.
    pub async fn launched(&self, instance: i64) -> i64 {
        let path = format!("/api/v1/instances/{instance}/app-servers");
        self.admin.post(&path, json!({})).await.expect(202)["id"].as_i64().unwrap()
    }

    pub async fn app_server(&self, id: i64) -> Value {
        self.admin.get(&format!("/api/v1/app-servers/{id}")).await.expect(200)
    }

    pub async fn until_running(&self, id: i64) {
        until_within(LONG, "the app server is running", async || {
            let read = self.app_server(id).await;
            let status = read["status"].as_str().unwrap().to_owned();
            assert!(!["failed", "error", "stopped"].contains(&status.as_str()), "{read:#}");
            status == "running"
        })
        .await;
    }

    /// The lines of an app server's log, with their times.
    pub async fn lines(&self, id: i64) -> Vec<Value> {
        let page = self.admin.get(&format!("/api/v1/app-servers/{id}/logs?limit=500")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    pub async fn log(&self, id: i64) -> Vec<String> {
        self.lines(id).await.iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn activate(&self, id: i64) {
        let request = self.admin.request(Method::POST, &format!("/api/v1/app-servers/{id}/activate"));
        Answer::to(request.header("prefer", "wait=30").timeout(LONG).json(&json!({}))).await.expect(200);
    }

    /// What each site answers now.
    pub async fn pages(&self) -> Vec<String> {
        let mut pages = Vec::new();
        for host in HOSTS {
            let http = http().build().unwrap();
            let page = http.get(format!("http://{}/", self.gateway)).header("host", host).send().await.unwrap();
            assert_eq!(page.status(), 200, "{host}");
            pages.push(page.text().await.unwrap());
        }
        pages
    }

    /// Activates an app server, and asserts that within two seconds both sites show its pages: others than `before`, or the
    /// same.
    pub async fn switches(&self, to: i64, before: &[String], is_new: bool) {
        self.activate(to).await;
        until_within(Duration::from_secs(2), "the switch is seen", async || {
            self.pages().await.iter().zip(before).all(|(now, before)| (now != before) == is_new)
        })
        .await;
    }
}

/// Visitors of sites, until they are told to stop.
pub struct Load {
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    visitors: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    pub fn start(gateway: &str, hosts: &'static [&'static str]) -> Self {
        let (is_over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let visitors = (0..8).map(|number| {
            let (is_over, answered, url) = (is_over.clone(), answered.clone(), format!("http://{gateway}/"));
            tokio::spawn(async move {
                let http = http().timeout(Duration::from_secs(10)).build().unwrap();
                let mut wrong = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    let host = hosts[number % hosts.len()];
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

    /// The number of requests that were answered, and what went wrong with each of the others.
    pub async fn end(self) -> (usize, Vec<String>) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut wrong = Vec::new();
        for visitor in self.visitors {
            wrong.extend(visitor.await.unwrap());
        }
        (self.answered.load(Ordering::Relaxed), wrong)
    }
}
