//! Two gateways as on hosts of their own: for each a real HAProxy and a real agent, both processes of the program. Switches
//! under load, a killed agent, a reload, and servers that are away.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ocim::routing::providers::agents::Agents;
use serde_json::{Value, json};
use shared_types::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use crate::app::{Database, Setup, Site, TestApp, http, ports, stories, until};

/// A gateway's host: both processes are killed if the test fails.
pub struct Host {
    listen: SocketAddr,
    pub tls: Option<SocketAddr>,
    directory: tempfile::TempDir,
    server: String,
    token: String,
    haproxy: Child,
    agent: Child,
}

impl Host {
    async fn start(app: &TestApp, name: &str) -> Self {
        Self::at(app, name, ports::reserved(), None).await
    }

    /// A gateway with these addresses; `tls`: where it serves HTTPS.
    pub async fn at(app: &TestApp, name: &str, listen: SocketAddr, tls: Option<SocketAddr>) -> Self {
        let admin = app.person(Role::Admin).await;
        let added = admin.post("/api/v1/gateways", json!({ "name": name })).await.expect(201);
        let (token, directory) = (added["token"].as_str().unwrap().to_owned(), tempfile::tempdir().unwrap());
        let server = admin.base().to_owned();
        let mut haproxy = program(&directory, listen, &["gateway", "proxy"]);
        let mut agent = agent(&directory, listen, (&server, &token));
        if let Some(tls) = tls {
            haproxy.env("OCIM_GATEWAY_LISTEN_TLS", tls.to_string());
            agent.env("OCIM_GATEWAY_LISTEN_TLS", tls.to_string());
        }
        let (haproxy, agent) = (haproxy.spawn().unwrap(), agent.spawn().unwrap());
        Self { listen, tls, directory, server, token, haproxy, agent }
    }

    fn agent_again(&mut self) {
        self.agent = agent(&self.directory, self.listen, (&self.server, &self.token)).spawn().unwrap();
    }

    /// The process that answers at HAProxy's socket.
    async fn serving(&self) -> Option<u32> {
        let socket = self.directory.path().join("gateway/runtime");
        let mut stream = UnixStream::connect(socket).await.ok()?;
        stream.write_all(b"show info\n").await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.lines().find_map(|line| line.strip_prefix("Pid: "))?.parse().ok()
    }

    fn signal_haproxy(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(self.haproxy.id().unwrap().cast_signed()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The status of an answer to a visitor on a new connection.
    async fn get(&self, path: &str) -> u16 {
        let asked = http().build().unwrap().get(format!("http://{}{path}", self.listen));
        asked.header("host", "demo.localhost").send().await.unwrap().status().as_u16()
    }

    async fn serves(&self) -> bool {
        program(&self.directory, self.listen, &["gateway", "check"]).status().await.unwrap().success()
    }
}

fn program(directory: &tempfile::TempDir, listen: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.args(arguments).env_remove("OCIM_CONFIG").env("OCIM_DATA_DIR", directory.path());
    command.env("OCIM_GATEWAY_LISTEN", listen.to_string()).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn agent(directory: &tempfile::TempDir, listen: SocketAddr, (server, token): (&str, &str)) -> Command {
    let mut command = program(directory, listen, &["gateway"]);
    command.env("OCIM_GATEWAY_SERVER", server).env("OCIM_GATEWAY_TOKEN", token);
    command
}

/// How often a site was asked for this path.
fn count(site: &Site, path: &str) -> usize {
    site.asked().iter().filter(|asked| **asked == format!("demo.localhost{path}")).count()
}

/// Visitors of both gateways.
#[derive(Default)]
struct Visitors {
    asked: AtomicU32,
    failed: AtomicU32,
    is_over: AtomicBool,
}

impl Visitors {
    /// About a hundred requests per second at one gateway, half of them on new connections.
    async fn visit(self: Arc<Self>, gateway: SocketAddr) {
        let kept = http().build().unwrap();
        let fresh = http().pool_max_idle_per_host(0).build().unwrap();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while !self.is_over.load(Ordering::Relaxed) {
            ticks.tick().await;
            for client in [&kept, &fresh] {
                let answer = client.get(format!("http://{gateway}/")).header("host", "demo.localhost").send().await;
                self.asked.fetch_add(1, Ordering::Relaxed);
                if !answer.is_ok_and(|answer| answer.status() == 200) {
                    self.failed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

async fn state(app: &TestApp, name: &str) -> Value {
    let list = app.viewer().await.get("/api/v1/gateways").await.expect(200);
    let items = list["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap()["state"].clone()
}

pub async fn until_ready(app: &TestApp, name: &str) {
    until("the gateway is ready", async || state(app, name).await == "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_switches_reach_two_gateways_and_lose_no_request() {
    let database = Database::migrated().await;
    let agents = Arc::new(Agents { db: database.open(), front: None });
    let app = TestApp::with(Setup { database: Some(database), gateway: Some(agents), ..Setup::default() }).await;
    let (mut one, two) = (Host::start(&app, "one").await, Host::start(&app, "two").await);
    until_ready(&app, "one").await;
    until_ready(&app, "two").await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    let switch = async |id: i64| {
        let began = Instant::now();
        let answer = stories::activate(&operator, id, json!({ "drain_limit_seconds": 1 })).await.expect(200);
        assert_eq!(answer["is_applied"], true);
        began.elapsed()
    };
    switch(first).await;
    let visitors = Arc::new(Visitors::default());
    let visits: Vec<_> =
        [one.listen, two.listen].map(|listen| tokio::spawn(visitors.clone().visit(listen))).into_iter().collect();

    let mut times = Vec::new();
    for id in [second, first].into_iter().cycle().take(50) {
        times.push(switch(id).await);
        let site = &app.sites[usize::from(id == second)];
        let before = count(site, "/mine");
        assert_eq!((one.get("/mine").await, two.get("/mine").await), (200, 200));
        assert_eq!(count(site, "/mine"), before + 2, "both have the switch");
    }
    times.sort_unstable();
    let [median, slowest] = [times[25], times[49]];

    // A reload of HAProxy's configuration.
    assert!(program(&two.directory, two.listen, &["gateway", "proxy", "--prepare"]).status().await.unwrap().success());
    let before = two.serving().await;
    two.signal_haproxy(rustix::process::Signal::USR2);
    until("another process serves", async || two.serving().await.is_some_and(|serving| Some(serving) != before)).await;
    switch(second).await;

    // An agent that is killed: its HAProxy goes on. A switch waits for it as long as it may be live.
    one.agent.kill().await.unwrap();
    let began = Instant::now();
    operator.post(&format!("/api/v1/app-servers/{first}/activate"), json!({})).await.expect(202);
    until("the switch is done", async || {
        let history = operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
        history["items"][0]["applied_at"] != Value::Null
    })
    .await;
    let waited = began.elapsed();
    assert_eq!(state(&app, "one").await, "silent");
    assert!(one.serves().await);
    one.agent_again();
    until_ready(&app, "one").await;
    assert_eq!((one.get("/back").await, count(&app.sites[0], "/back")), (200, 1));

    visitors.is_over.store(true, Ordering::Relaxed);
    for visit in visits {
        visit.await.unwrap();
    }
    let (asked, failed) = (visitors.asked.load(Ordering::Relaxed), visitors.failed.load(Ordering::Relaxed));
    println!(
        "50 switches at two gateways: median {median:?}, slowest {slowest:?}; {asked} requests, {failed} failed; a switch \
         waited {waited:?} for a killed agent"
    );
    assert!(asked > 1000 && slowest < Duration::from_secs(2), "{asked} requests, the slowest switch {slowest:?}");
    assert_eq!(failed, 0);

    // No server can be reached: HAProxy serves what it has, also after a start of its own.
    let mut two = two;
    two.agent.kill().await.unwrap();
    two.server = format!("http://{}", ports::reserved());
    two.agent_again();
    two.signal_haproxy(rustix::process::Signal::TERM);
    two.haproxy.wait().await.unwrap();
    assert!(!two.serves().await);
    two.haproxy = program(&two.directory, two.listen, &["gateway", "proxy"]).spawn().unwrap();
    until("HAProxy serves again", async || two.serves().await).await;
    assert_eq!((two.get("/alone").await, count(&app.sites[0], "/alone")), (200, 1));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_link_works_at_both_gateways_until_it_is_revoked() {
    let database = Database::migrated().await;
    let agents = Arc::new(Agents { db: database.open(), front: None });
    let app = TestApp::with(Setup { database: Some(database), gateway: Some(agents), ..Setup::default() }).await;
    let (one, two) = (Host::start(&app, "one").await, Host::start(&app, "two").await);
    until_ready(&app, "one").await;
    until_ready(&app, "two").await;
    let instance = app.instance("demo").await;
    let (first, candidate) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    stories::activate(&operator, first, json!({})).await.expect(200);
    let path = format!("/api/v1/app-servers/{candidate}/preview-links");
    let request = operator.request(reqwest::Method::POST, &path).header("prefer", "wait=30").json(&json!({}));
    let made = crate::app::Answer::to(request).await.expect(201);
    let token = made["urls"][0].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    let client = http().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let visit = async |host: &Host, path: &str| {
        let asked = client.get(format!("http://{}{path}", host.listen)).header("host", "demo.localhost");
        let answer = asked.header("cookie", format!("ocim_preview={token}")).send().await.unwrap();
        answer.status().as_u16()
    };
    for host in [&one, &two] {
        assert_eq!(visit(host, &format!("/.ocim/preview/{token}")).await, 302);
        assert_eq!(visit(host, "/candidate").await, 200);
        assert_eq!(host.get("/everyone").await, 200);
    }
    let [active, shown] = [&app.sites[0], &app.sites[1]];
    assert_eq!((count(shown, "/candidate"), count(active, "/candidate")), (2, 0));
    assert_eq!((count(shown, "/everyone"), count(active, "/everyone")), (0, 2));
    operator.delete(&format!("{path}/{}", made["id"])).await.expect(204);
    for host in [&one, &two] {
        let link = format!("/.ocim/preview/{token}");
        until("the link is revoked", async || visit(host, &link).await == 404).await;
        assert_eq!(visit(host, "/revoked").await, 200);
    }
    assert_eq!((count(shown, "/revoked"), count(active, "/revoked")), (0, 2));
    app.end().await;
}
