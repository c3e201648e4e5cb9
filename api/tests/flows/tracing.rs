//! One request id from the answer to the log lines of its jobs, in the log of the real program.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use ocim::config::Settings;
use ocim::config::gateway::GatewaySettings;
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::app::{Client, Database, http, own_address, until};

#[tokio::test]
async fn a_launchs_request_id_is_in_the_lines_of_the_request_and_of_its_job() {
    let database = Database::migrated().await;
    let dir = tempfile::tempdir().unwrap();
    let gateway = own_address();
    let story = story(database.url().to_owned(), dir.path().to_owned(), gateway.clone());
    let told = AssertUnwindSafe(story).catch_unwind().await;
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

async fn story(database: String, dir: PathBuf, gateway: String) {
    let (listen, password) = (own_address(), "seven otters juggle lamps");
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.arg("server").env("DATABASE_URL", database).env("OCIM_DATA_DIR", dir);
    command.env("OCIM_SECRET_KEYS", format!("k:{}", "00".repeat(32))).env("OCIM_PROVIDER", "fake");
    command.env("OCIM_LISTEN", &listen).env("OCIM_GATEWAY_LISTEN", gateway).env("OCIM_ADMIN_PASSWORD", password);
    command.env("OCIM_LOG_FORMAT", "json").env("OCIM_LOG", "warn,ocim=debug").env("OCIM_FAKE_PACE_MS", "1");
    let mut program =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let written = Arc::new(Mutex::new(Vec::<Value>::new()));
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let into = written.clone();
    let reading = tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            // The lines of the start are text for people; the later ones are JSON.
            if let Ok(line) = serde_json::from_str(&line) {
                into.lock().unwrap().push(line);
            }
        }
    });
    let http = http().build().unwrap();
    let base = format!("http://{listen}");
    until("the program answers", async || {
        http.get(format!("{base}/readyz")).send().await.is_ok_and(|a| a.status() == 200)
    })
    .await;
    let admin = Client::of_admin(http, base, password).await;
    admin.post("/api/v1/instances", json!({ "name": "demo", "sub_domain": "demo" })).await.expect(201);
    let launch = admin.post("/api/v1/instances/1/app-servers?secret=word", json!({})).await;
    launch.expect(202);
    let id = launch.header("x-request-id").to_owned();
    assert_eq!(id.len(), 16);

    let of_it = || -> Vec<Value> {
        let lines = written.lock().unwrap();
        lines.iter().filter(|line| line["span"]["request_id"] == json!(id)).cloned().collect()
    };
    until("the job is done", async || of_it().iter().any(|line| line["fields"]["message"] == "a job is done")).await;
    let lines = of_it();
    let answered: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "a request is answered").collect();
    assert_eq!(answered.len(), 1, "one line a request: {lines:#?}");
    let span = &answered[0]["span"];
    assert_eq!(span["route"], "/api/v1/instances/{id}/app-servers");
    assert_eq!((&span["method"], &span["status"], &span["principal"]), (&json!("POST"), &json!(202), &json!("admin")));
    let job = lines.iter().find(|line| line["fields"]["message"] == "a job begins").unwrap();
    assert_eq!((&job["span"]["job"], &job["span"]["app_server"]), (&json!("AdvanceAppServer"), &json!(1)));
    let fault = json!({ "message": "panicked:\nno such thing", "page": "/instances/1" });
    admin.post("/api/v1/client-errors", fault).await.expect(204);
    let fault = || written.lock().unwrap().iter().find(|line| line["fields"]["fault"].is_string()).cloned();
    until("the fault of a page is in the log", async || fault().is_some()).await;
    let fault = fault().unwrap();
    assert_eq!(fault["level"], "WARN");
    assert_eq!(fault["fields"]["fault"], "panicked:\\nno such thing");
    assert_eq!((&fault["fields"]["user"], &fault["fields"]["page"]), (&json!("admin"), &json!("/instances/1")));
    assert_eq!(fault["span"]["request_id"].as_str().map(str::len), Some(16));
    let all = serde_json::to_string(&*written.lock().unwrap()).unwrap();
    assert!(!all.contains("secret=word") && !all.contains(password), "neither queries nor passwords");

    program.start_kill().unwrap();
    program.wait().await.unwrap();
    reading.await.unwrap();
}
