//! An instance that moves from local machines to containers, with the program as it is installed.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::system::machines::yard::is_root;
use crate::system::program::{HOSTS, Load, Program};

/// How long each app server serves between two switches.
const STAY: Duration = Duration::from_secs(2);
/// The load during the stays alone is more than this.
const LEAST_ANSWERED: usize = 1000;

async fn provider_of(program: &Program, id: i64) -> Value {
    program.app_server(id).await["server"]["provider"].clone()
}

async fn moves(program: &Program) {
    let instance = program.instance().await;
    let begun = Instant::now();
    let local = program.launched(instance).await;
    program.until_running(local).await;
    println!("local: from POST to running {:?}", begun.elapsed());
    program.activate(local).await;

    let load = Load::start(&program.gateway, &HOSTS);
    let before = program.pages().await;
    program.choose(instance, "containers").await;
    assert_eq!(provider_of(program, local).await, json!("local"), "the machine that serves stays where it is");
    let begun = Instant::now();
    let container = program.launched(instance).await;
    program.until_running(container).await;
    println!("containers: from POST to running {:?}", begun.elapsed());
    assert_eq!(provider_of(program, container).await, json!("containers"));
    for (to, is_new) in [(container, true), (local, false), (container, true)] {
        let begun = Instant::now();
        program.switches(to, &before, is_new).await;
        println!("switched in {:?}", begun.elapsed());
        tokio::time::sleep(STAY).await;
    }
    let (answered, wrong) = load.end().await;
    println!("{answered} requests answered during the launch and three switches, {} failed: {wrong:?}", wrong.len());
    assert!(wrong.is_empty() && answered > LEAST_ANSWERED, "{answered} answered, {wrong:?}");

    let servers = program.admin.get("/api/v1/servers?limit=10").await.expect(200);
    let of: Vec<_> = servers["items"].as_array().unwrap().iter().map(|one| one["provider"].clone()).collect();
    assert_eq!(of, ["containers", "local"], "newest first");
    program.archive(instance, &[local, container]).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, Podman and what `ocim admin prepare-cache` fetches: make test-containers"]
async fn an_instance_moves_from_a_local_machine_to_a_container_and_back_without_a_failed_request() {
    if !is_root() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let settings = dir.path().join("ocim.toml");
    fs::write(&settings, "[providers.containers]\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.env("OCIM_CONFIG", settings).env("OCIM_DATA_DIR", dir.path().join("data"));
    command.env("OCIM_PROVIDER", "local").env("OCIM_CONTAINERS_NETWORK", "ocim-test");
    let program = Program::start(command).await;
    let outcome = AssertUnwindSafe(moves(&program)).catch_unwind().await;
    if outcome.is_err() {
        // Its machines must not outlive the test.
        let _ = AssertUnwindSafe(program.archive(1, &[1, 2])).catch_unwind().await;
    }
    program.stop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
