//! Workers that are apart from the others: in a process namespace of their own, behind a cut network, suspended. No lease
//! is lost without need, and none is believed in for longer than it lasts.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ocim::instances::builds::lease::heartbeat::Leases;
use ocim::instances::builds::lease::{self, Lease};
use ocim::platform::db::Db;
use ocim::platform::jobs::workers::LEASE;
use rustix::process::{Pid, Signal, kill_process};
use shared_types::AppServerId;
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use crate::app::cable::Cable;
use crate::app::{TestApp, until, until_within};

/// A worker of the real program on the test's database. `before` is put before its command.
fn worker(app: &TestApp, dir: &Path, before: &[&str]) -> Child {
    let program = [before, &[env!("CARGO_BIN_EXE_ocim"), "worker"]].concat();
    let log = std::fs::File::options().append(true).create(true).open(dir.join("log")).unwrap();
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).env("DATABASE_URL", format!("{}?application_name=apart", app.db.url()));
    command.env("OCIM_DATA_DIR", dir);
    command.env("OCIM_SECRET_KEYS", format!("test:{}", "00".repeat(32))).env("OCIM_PROVIDER", "fake");
    command.env("OCIM_FAKE_LINES", "200").env("OCIM_FAKE_PACE_MS", "100").env("OCIM_LOG", "info");
    command.env("OCIM_FAKE_HTTP", app.sites[0].address.to_string());
    command.env_remove("OCIM_CONFIG").env_remove("OCIM_LOG_FORMAT");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true).spawn().unwrap()
}

fn log(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("log")).unwrap()
}

/// The name of the only worker in the table.
async fn its_name(app: &TestApp) -> String {
    until("the worker shows that it lives", async || app.number("SELECT count(*) AS n FROM workers").await == 1).await;
    app.text("SELECT id AS text FROM workers").await
}

/// Kills the workers, and returns once the database has ended what they had asked for: a statement goes on without its client.
async fn killed(app: &TestApp, workers: &mut [Child]) {
    for worker in workers {
        worker.kill().await.unwrap();
    }
    let connections = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
        AND application_name = 'apart'";
    until("nothing of the workers is left", async || app.number(connections).await == 0).await;
}

async fn acquired(db: &Db, id: AppServerId) -> Option<Lease> {
    lease::acquire(&mut db.conn().await.unwrap(), id, CancellationToken::new()).await.unwrap()
}

#[tokio::test]
async fn a_worker_in_a_process_namespace_of_its_own_takes_no_lease_of_a_live_one() {
    let app = TestApp::idle().await;
    let dir = tempfile::tempdir().unwrap();
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let lease = acquired(&app.db, id).await.unwrap();
    let leases = Leases::new(app.db.clone());
    let kept = leases.keep(&lease);
    let apart = worker(&app, dir.path(), &["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]);
    let its = its_name(&app).await;
    let ours = app.text("SELECT lease_holder AS text FROM builds").await;
    let (its, ours): (Vec<&str>, Vec<&str>) = (its.split('/').collect(), ours.split('/').collect());
    assert!(its[0] == ours[0] && its[1] != ours[1], "one host, two namespaces: {its:?}, {ours:?}");
    // It looks for leases of dead holders every two seconds.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(!lease.lost.is_cancelled());
    let token = format!("SELECT count(*) AS n FROM builds WHERE lease_token = {} AND lease_until > now()", lease.token);
    assert_eq!(app.number(&token).await, 1);
    assert!(!log(dir.path()).contains("a worker is dead"), "{}", log(dir.path()));
    // It does see the dead ones of its own namespace.
    drop(kept);
    let dead = format!(
        "UPDATE builds SET lease_holder = '{}/{}/999999/1', lease_until = now() + interval '1 hour'",
        its[0], its[1]
    );
    app.execute(&dead).await;
    until("it takes the build", async || app.number(&token).await == 0).await;
    until("it says why", async || log(dir.path()).contains("a worker is dead")).await;
    killed(&app, &mut [apart]).await;
    app.execute("UPDATE builds SET lease_holder = NULL, lease_until = NULL").await;
    app.end().await;
}

#[tokio::test]
async fn behind_a_cut_network_the_work_ends_before_the_lease_can_be_taken() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let url = url::Url::parse(app.db.url()).unwrap();
    let cable = Cable::to(&url).await;
    let behind = Db::open(&cable.url(url)).unwrap();
    let lease = acquired(&behind, id).await.unwrap();
    let leases = Leases::new(behind.clone());
    let _kept = leases.keep(&lease);
    let until_then = "SELECT ceil(extract(epoch FROM lease_until - now()) * 1000)::bigint AS n FROM builds";
    let end = "SELECT ceil(extract(epoch FROM lease_until) * 1000)::bigint AS n FROM builds";
    let first_end = app.number(end).await;
    until("a heartbeat renews it", async || app.number(end).await > first_end).await;
    assert!(!lease.lost.is_cancelled());
    cable.cut();
    let cut = Instant::now();
    tokio::time::timeout(LEASE, lease.lost.cancelled()).await.expect("the holder notices that it holds nothing");
    let left = app.number(until_then).await;
    println!("cancelled {:?} after the cut, {left} ms before the lease ends", cut.elapsed());
    assert!(left > 2_000, "time to end what runs: {left} ms");
    assert!(acquired(&app.db, id).await.is_none(), "it cannot be taken yet");
    app.outlive_leases().await;
    assert!(acquired(&app.db, id).await.is_some());
    app.execute("UPDATE builds SET lease_holder = NULL, lease_until = NULL").await;
    app.end().await;
}

#[tokio::test]
async fn a_suspended_worker_does_nothing_more_with_a_build_that_another_has_taken() {
    let app = TestApp::idle().await;
    let dir = tempfile::tempdir().unwrap();
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let first = worker(&app, dir.path(), &[]);
    until("the playbook runs", async || app.read_app_server(id).await["progress"]["tasks_done"].as_i64() > Some(2))
        .await;
    let token = app.number("SELECT lease_token AS n FROM builds").await;
    let pid = Pid::from_raw(i32::try_from(first.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let second = worker(&app, dir.path(), &[]);
    // It may hold a row that it was about to write, and that the other one waits for, until the database ends its
    // transaction after a minute.
    let patience = Duration::from_secs(90);
    let taken = async || app.number("SELECT lease_token AS n FROM builds").await > token;
    until_within(patience, "another one takes it", taken).await;
    let printed = dir.path().join(format!("fake-printed/{id}"));
    until_within(patience, "its run begins", async || printed.join("0-2").exists()).await;
    kill_process(pid, Signal::CONT).unwrap();
    let built = app.until_built(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    // Neither took it from the other again, and the first run printed nothing after the second had begun.
    assert_eq!(app.number("SELECT lease_token AS n FROM builds").await, token + 1);
    assert!(!printed.join("0-3").exists());
    until("the first one says why it ended", async || log(dir.path()).contains("not renewed in time; its work ends"))
        .await;
    let lines = app.log(id).await;
    let of_run = |number: usize| lines.iter().filter(|line| line.contains(&format!("run {number} line"))).count();
    assert!(of_run(1) < 200 && of_run(2) == 200, "{} and {} lines", of_run(1), of_run(2));
    killed(&app, &mut [first, second]).await;
    app.execute("DELETE FROM graphile_worker._private_jobs").await;
    app.end().await;
}
