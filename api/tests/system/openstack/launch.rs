//! The real program on the cloud, whose servers have guests: a launch with real Ansible, activation and switches under load,
//! and the conformance suite of `ocim admin check-provider`.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use chrono::Utc;
use futures::FutureExt;
use ocim::config::Settings;
use ocim::config::gateway::GatewaySettings;
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use super::timing::CloudTimes;
use super::user::User;
use super::variable;
use crate::app::{Answer, Database, until_within};
use crate::system::program::{HOSTS, LONG, Load, Program};

/// The program with the settings of the cloud; `OS_…` is inherited.
fn program(data_dir: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.env("OCIM_DATA_DIR", data_dir).env("OCIM_PROVIDER", "openstack").env("OPENSTACK_NETWORK", "private");
    command.env("OPENSTACK_SANDBOX_BASE_IMAGE", "debian-12*").env("OPENSTACK_SANDBOX_SSH_USERNAME", "debian");
    command.env("OPENSTACK_SANDBOX_FLAVOR", r#"{"ram": 512}"#).env("OPENSTACK_SANDBOX_PYTHON", "/usr/bin/python3");
    command.kill_on_drop(true);
    command
}

async fn story(story: &Program) {
    let instance = story.instance().await;
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

    let load = Load::start(&story.gateway, &HOSTS);
    let before = story.pages().await;
    let second = story.launched(instance).await;
    story.until_running(second).await;
    for (to, is_new) in [(second, true), (first, false), (second, true)] {
        story.switches(to, &before, is_new).await;
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
    let mut command = program(dir.path());
    command.env("DATABASE_URL", database.url()).env("OCIM_SECRET_KEYS", format!("k:{}", "00".repeat(32)));
    let mut running = Program::start(command).await;
    let told = AssertUnwindSafe(story(&running)).catch_unwind().await;
    running.process.kill().await.unwrap();
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    user.clear().await;
    // With an external database, the gateway outlives the program.
    let settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = running.gateway.parse().unwrap());
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
