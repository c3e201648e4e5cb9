//! Builds and the reaper of the whole manager, with a database, on the cloud: outages in mid-build, machines whose state is
//! unknown, and orphans among strangers. Ansible is scripted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ocim::instances::upkeep::reaper;
use ocim::machines::probe::Probe;
use ocim::machines::provider::Provider;
use ocim::machines::providers::openstack::{OpenStack, OpenStackConfig};
use serde_json::{Value, json};
use shared_types::{AppServerId, Role};

use super::reached::Reached;
use super::strangers::foreign;
use super::user::User;
use super::{clean, config, settings, settled, testbed, variable};
use crate::app::{Setup, TestApp, until_within};

const LONG: Duration = Duration::from_secs(300);

/// The program with the cloud as its only provider. Its worker is not started: the test takes each build further.
async fn app() -> (TestApp, Arc<Reached>) {
    User::log_in(&variable("OS_PROJECT_NAME")).await.clear().await;
    let (sender, receiver) = std::sync::mpsc::channel();
    let machines = move |installation: String, site| {
        let config = OpenStackConfig { installation, ..config(settings()) };
        let reached = Arc::new(Reached::new(OpenStack::open(config).unwrap(), site));
        sender.send(reached.clone()).unwrap();
        let provider: Arc<dyn Provider> = reached.clone();
        let probe: Arc<dyn Probe> = reached;
        (provider, probe)
    };
    let setup = Setup {
        works: false,
        machines: Some(Box::new(machines)),
        options: |options| {
            (options.machine_timeout, options.reboot_timeout, options.poll) = (LONG, LONG, Duration::from_millis(100));
            options.reaper_grace = Duration::ZERO;
        },
        ..Setup::default()
    };
    (TestApp::with(setup).await, receiver.recv().unwrap())
}

/// The status of an app server and that of its machine.
async fn statuses(app: &TestApp, id: i64) -> (String, String) {
    let read = app.read_app_server(id).await;
    (read["status"].as_str().unwrap().to_owned(), read["server"]["status"].as_str().unwrap().to_owned())
}

/// Halts a daemon while Nova builds the machine of a launch, heals it, and gives how the build has ended. Nova may have one
/// server of the launch at most, and none, nor a port, after it was terminated.
async fn outage(app: &TestApp, cloud: &Reached, instance: i64, daemon: &str) -> (String, bool) {
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let ports = user.network_things("ports").await.len();
    let id = app.launched(instance).await;
    let server = app.read_app_server(id).await["server"]["id"].as_i64().unwrap();
    // Slow enough for an outage; the build finds it by its ids.
    let installation = app.db.installation().await.unwrap();
    user.create_of(&installation, server, &[("ostb_spawn_delay", "6")]).await;
    let builder = app.builder();
    let build = tokio::spawn(async move { builder.advance(AppServerId(id)).await });
    until_within(LONG, "Nova builds", async || app.read_app_server(id).await["server"]["provider_id"].is_string())
        .await;
    testbed(&["halt", daemon]).await;
    let (halted, mut is_unknown) = (Instant::now(), false);
    // MariaDB's outage is noticed when a request has waited for its whole time.
    while halted.elapsed() < Duration::from_secs(if daemon == "mariadb" { 45 } else { 10 }) && !is_unknown {
        is_unknown = statuses(app, id).await.1 == "unknown";
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    testbed(&["start"]).await;
    let healed = Instant::now();
    build.await.unwrap().unwrap();
    let read = app.read_app_server(id).await;
    let (status, failure) = (read["status"].as_str().unwrap().to_owned(), read["failure"].as_str().unwrap_or_default());
    println!(
        "{daemon} away for {:?} in mid-build: machine {}, app server {status} {:?} after it was healed {failure}",
        healed - halted,
        if is_unknown { "unknown meanwhile" } else { "never unknown" },
        healed.elapsed()
    );
    let (of_launch, server_id) = (user.servers().await, server.to_string());
    let of_launch = of_launch.iter().filter(|one| one["metadata"]["ocim_server_id"] == *server_id).count();
    assert_eq!(of_launch, 1, "one server of one launch");
    clean(&cloud.cloud).await;
    assert_eq!((cloud.list().await.unwrap(), user.network_things("ports").await.len()), (vec![], ports), "{daemon}");
    (status, is_unknown)
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_launch_goes_on_after_an_outage_of_each_service_in_mid_build() {
    let (app, cloud) = app().await;
    let instance = app.instance("demo").await;
    // Neutron away: Nova gives up the build, and says so; the next launch works.
    for (daemon, is_seen, may_fail) in [
        ("nova-api", true, false),
        ("keystone", false, false),
        ("rabbitmq", false, false),
        ("mariadb", true, true),
        ("neutron", false, true),
    ] {
        let (status, is_unknown) = outage(&app, &cloud, instance, daemon).await;
        assert!(status == "running" || may_fail && status == "error", "{daemon}: {status}");
        assert!(is_unknown || !is_seen, "{daemon}: the outage was not seen");
    }
    let id = app.running_within(instance, LONG).await;
    clean(&cloud.cloud).await;
    println!("the next launch is running: {id}");
    app.end().await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn a_ready_machine_is_unknown_while_nova_is_away_and_ready_again_afterwards() {
    let (app, cloud) = app().await;
    let instance = app.instance("demo").await;
    let begun = Instant::now();
    let id = app.running_within(instance, LONG).await;
    println!("launch to running, with a reboot: {:?}", begun.elapsed());
    assert_eq!(statuses(&app, id).await, ("running".into(), "ready".into()));
    testbed(&["halt", "nova-api"]).await;
    reaper::sweep(&app.manager).await.unwrap();
    assert_eq!(statuses(&app, id).await, ("running".into(), "unknown".into()));
    testbed(&["start"]).await;
    reaper::sweep(&app.manager).await.unwrap();
    assert_eq!(statuses(&app, id).await, ("running".into(), "ready".into()));
    clean(&cloud.cloud).await;
    app.end().await;
}

#[tokio::test]
#[ignore = "needs an OpenStack control plane: make test-openstack"]
async fn the_reaper_takes_twenty_orphans_and_a_floating_address_and_touches_no_stranger() {
    let (app, cloud) = app().await;
    let user = User::log_in(&variable("OS_PROJECT_NAME")).await;
    let installation = app.db.installation().await.unwrap();
    let (mut own, mut strangers) = (Vec::new(), Vec::new());
    for number in 1..=20 {
        own.push(user.create_of(&installation, number, &[]).await);
        strangers.push(user.create(&format!("demo-{number}"), foreign(number)).await);
    }
    for number in 1..=20 {
        settled(&cloud.cloud, number).await;
    }
    // One of a server that others deleted, two that look alike.
    let lost = user.floating(&format!("ocim {installation} server 77")).await;
    let kept = [user.floating("ocim 22222222-bbbb server 77").await, user.floating("a stranger's").await];
    let of_strangers = async || {
        let all = user.servers().await;
        all.into_iter().filter(|server| strangers.iter().any(|id| server["id"] == **id)).collect::<Vec<_>>()
    };
    until_within(LONG, "the strangers are active", async || {
        of_strangers().await.iter().all(|server| server["status"] == "ACTIVE")
    })
    .await;
    let before = of_strangers().await;
    let begun = Instant::now();
    let asked = app.person(Role::Admin).await;
    // Found by the first comparison, and due in the next one.
    let mut done = Vec::new();
    for _ in 0..2 {
        let request = asked.request(reqwest::Method::POST, "/api/v1/servers/orphans").timeout(LONG);
        let answer = crate::app::Answer::to(request.json(&json!({}))).await.expect(200);
        done.extend(answer["done"].as_array().unwrap().clone());
    }
    println!("the reaper: {} done in {:?}", done.len(), begun.elapsed());
    let after = of_strangers().await;
    let touched = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    println!(
        "own left: {}, strangers touched: {}",
        cloud.list().await.unwrap().len(),
        touched + before.len() - after.len()
    );
    assert_eq!((after.len(), touched), (20, 0));
    assert_eq!(cloud.list().await.unwrap(), []);
    let left: Vec<Value> = user.network_things("floatingips").await.iter().map(|one| one["id"].clone()).collect();
    assert!(!left.contains(&json!(lost)) && kept.iter().all(|id| left.contains(&json!(id))), "{left:?}");
    assert_eq!(done.len(), 21, "{done:#?}");
    user.clear().await;
    app.end().await;
}
