//! Two servers on one Postgres behind a balancer: processes of the program, with a real HAProxy in front that sends each request to
//! the other one than the last.

mod dying;
mod sharing;
mod starting;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel_async::RunQueryDsl;
use ocim::platform::db::Db;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{Answer, Client, Credentials, Database, Site, http, number, own_address, until_within};

/// How long a program may take to start, and a build to end.
const LONG: Duration = Duration::from_secs(120);
const PASSWORD: &str = "seven otters juggle lamps";

/// A running `ocim server`, which is killed if this is dropped.
struct Server {
    process: Child,
    base: String,
    dir: tempfile::TempDir,
}

/// Two servers, the balancer in front of them, and what both use.
struct Pair {
    servers: [Server; 2],
    /// A client of the balancer with the administrator's session.
    admin: Client,
    database: Database,
    db: Db,
    /// The site of every machine.
    site: Site,
    stop: CancellationToken,
    agent: Agent,
    _haproxy: Child,
    _machines: tempfile::TempDir,
}

/// A server with its own data directory, except for its machines: those are in `machines`. `change` sets further variables.
fn command(url: &str, listen: &str, dir: &Path, machines: &Path) -> Command {
    for name in ["fake-machines", "fake-printed"] {
        std::fs::create_dir_all(machines.join(name)).unwrap();
        symlink(machines.join(name), dir.join(name)).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.arg("server").env_remove("OCIM_CONFIG").env_remove("OCIM_LOG_FORMAT");
    command.env("DATABASE_URL", url).env("OCIM_DATA_DIR", dir).env("OCIM_LISTEN", listen);
    command.env("OCIM_SECRET_KEYS", format!("test:{}", "00".repeat(32))).env("OCIM_ADMIN_PASSWORD", PASSWORD);
    command.env("OCIM_GATEWAY_AGENTS", "true").env("INSTANCES_BASE_DOMAIN", "localhost");
    command.env("OCIM_PROVIDER", "fake").env("OCIM_FAKE_LINES", "200").env("OCIM_FAKE_PACE_MS", "5");
    // The default is a repository in the data directory, which has another path at the other server.
    command
        .env("DEFAULT_CONFIGURATION_REPO_URL", "https://git.example/configuration.git")
        .env("DEFAULT_FORK", "acme/edx-platform");
    command.env("OCIM_TRUSTED_PROXIES", "127.0.0.0/8").env("OCIM_ADDRESS_RATE", "0").env("OCIM_CHECK_INTERVAL", "5");
    let log = std::fs::File::options().append(true).create(true).open(dir.join("log")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    command
}

impl Server {
    /// What it has logged.
    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap()
    }

    /// Waits until the process is ready.
    async fn until_ready(&self) {
        let http = http().build().unwrap();
        until_within(LONG, "the server is ready", async || {
            let asked = http.get(format!("{}/readyz", self.base)).send().await;
            asked.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }
}

impl Pair {
    /// Starts both, the balancer, and the agent of a gateway.
    async fn start(change: impl Fn(&mut Command)) -> Self {
        let (database, machines) = (Database::migrated().await, tempfile::tempdir().unwrap());
        let stop = CancellationToken::new();
        let site = Site::start(stop.clone()).await;
        let servers = [(); 2].map(|()| {
            let (dir, listen) = (tempfile::tempdir().unwrap(), own_address());
            let mut command = command(&database.url(), &listen, dir.path(), machines.path());
            command.env("OCIM_FAKE_HTTP", site.address.to_string());
            change(&mut command);
            Server { process: command.spawn().unwrap(), base: format!("http://{listen}"), dir }
        });
        for server in &servers {
            server.until_ready().await;
        }
        let balancer = own_address();
        let haproxy = balance(&balancer, &servers, machines.path());
        let client = http().pool_max_idle_per_host(0).build().unwrap();
        let base = format!("http://{balancer}");
        until_within(LONG, "the balancer answers", async || {
            client.get(format!("{base}/healthz")).send().await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        let admin = Client::of_admin(client, base, PASSWORD).await;
        let agent = Agent::start(&admin).await;
        let db = database.open();
        Self { servers, admin, database, db, site, stop, agent, _haproxy: haproxy, _machines: machines }
    }

    /// The client of the balancer, at one of the servers instead.
    fn at(&self, server: usize, who: &Client) -> Client {
        let http = http().pool_max_idle_per_host(0).build().unwrap();
        Client::at(http, self.servers[server].base.clone(), who.credentials().clone())
    }

    async fn number(&self, query: &str) -> i64 {
        number(&mut self.db.conn().await.unwrap(), query).await
    }

    async fn text(&self, query: &str) -> Option<String> {
        #[derive(diesel::QueryableByName)]
        struct Words {
            #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Text>)]
            text: Option<String>,
        }
        diesel::sql_query(query).get_result::<Words>(&mut *self.db.conn().await.unwrap()).await.unwrap().text
    }

    /// A new user, signed in at one of the servers.
    async fn user(&self, name: &str, role: &str, server: usize) -> Client {
        let password = "eleven herons mend nets";
        let body = json!({ "username": name, "password": password, "role": role });
        self.admin.post("/api/v1/users", body).await.expect(201);
        let anonymous = self.at(server, &self.admin).with(Credentials::None);
        let signed_in = anonymous.post("/api/v1/auth/login", json!({ "username": name, "password": password })).await;
        assert_eq!(signed_in.status, 200, "{}", signed_in.body);
        let cookie = signed_in.header("set-cookie").split([';', '=']).nth(1).unwrap().to_owned();
        anonymous.with(Credentials::Cookie(cookie))
    }

    async fn instance(&self, sub_domain: &str) -> i64 {
        let body = json!({ "name": sub_domain, "sub_domain": sub_domain });
        self.admin.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap()
    }

    async fn launched(&self, instance: i64) -> i64 {
        let path = format!("/api/v1/instances/{instance}/app-servers");
        self.admin.post(&path, json!({})).await.expect(202)["id"].as_i64().unwrap()
    }

    async fn app_server(&self, id: i64) -> Value {
        self.admin.get(&format!("/api/v1/app-servers/{id}")).await.expect(200)
    }

    async fn until_running(&self, id: i64) {
        let read = format!("SELECT status AS text FROM app_servers WHERE id = {id}");
        until_within(LONG, "the app server is running", async || {
            let status = self.text(&read).await.unwrap();
            assert!(!["failed", "error", "stopped"].contains(&status.as_str()), "{status}");
            status == "running"
        })
        .await;
    }

    /// Kills what is left, and drops the database.
    async fn end(mut self) {
        for server in &mut self.servers {
            let log = server.log();
            server.kill().await;
            assert!(!log.contains("panicked"), "{log}");
        }
        self.stop.cancel();
        drop(self.db);
        self.database.discard();
    }
}

/// A HAProxy that sends each request to the next server, and the requests of a server that is gone to the other one.
fn balance(listen: &str, servers: &[Server; 2], dir: &Path) -> Child {
    let [one, two] = servers.each_ref().map(|server| server.base.trim_start_matches("http://"));
    let config = format!(
        "defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  option forwardfor\n  \
         option redispatch 1\n  retries 3\n  retry-on conn-failure\n\
         frontend all\n  bind {listen}\n  default_backend servers\n\
         backend servers\n  balance roundrobin\n  option httpchk\n  \
         http-check send meth GET uri /readyz ver HTTP/1.1 hdr host localhost\n  \
         server one {one} check inter 500ms fall 2\n  server two {two} check inter 500ms fall 2\n"
    );
    let file = dir.join("balancer.cfg");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new("/usr/sbin/haproxy");
    command.arg("-db").arg("-f").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.kill_on_drop(true).spawn().unwrap()
}

/// The agent of a gateway, which asks through the balancer, so that its requests are answered by both servers in turn.
struct Agent {
    routes: Arc<Mutex<std::collections::BTreeMap<String, Value>>>,
    task: JoinHandle<()>,
}

impl Agent {
    async fn start(admin: &Client) -> Self {
        let added = admin.post("/api/v1/gateways", json!({ "name": "one" })).await.expect(201);
        let client = admin.with(Credentials::Token(added["token"].as_str().unwrap().to_owned()));
        let routes = Arc::<Mutex<std::collections::BTreeMap<String, Value>>>::default();
        let kept = routes.clone();
        let task = tokio::spawn(async move {
            let mut revision = 0;
            let mut counts = Value::Array(Vec::new());
            loop {
                let report = json!({ "agent": "agent", "hostname": "one", "version": "9", "revision": revision, "error": null,
                    "counts": counts });
                let sent = client.request(Method::POST, "/api/v1/gateway/exchange").json(&report).send().await;
                let update: Option<Value> = match sent {
                    Ok(answer) if answer.status() == 200 => answer.json().await.ok(),
                    Ok(_) | Err(_) => None,
                };
                let Some(update) = update else {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                };
                revision = update["revision"].as_i64().unwrap();
                let questions = update["questions"].as_array().cloned().unwrap_or_default();
                counts = questions.into_iter().map(none_open).collect();
                let mut routes = kept.lock().unwrap();
                if update["is_whole"] == true {
                    routes.clear();
                }
                for route in update["routes"].as_array().into_iter().flatten() {
                    routes.insert(route["hostname"].as_str().unwrap().to_owned(), route.clone());
                }
            }
        });
        Self { routes, task }
    }

    /// The route of a host, as the gateway has it.
    fn route(&self, hostname: &str) -> Value {
        self.routes.lock().unwrap().get(hostname).cloned().unwrap_or_default()
    }
}

/// The answer to a question for open requests: there are none.
fn none_open(mut question: Value) -> Value {
    question["requests"] = json!(0);
    question
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends a request with an `Idempotency-Key`.
async fn post_keyed(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    Answer::to(client.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}
