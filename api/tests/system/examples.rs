//! The sites of `ansible/examples`, for real: each on two machines, between which the traffic moves under load.
//!
//! `make test-examples`; needs root, and fetches 140 MB the first time.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ocim::ansible::port::{Ansible, RunOutcome, RunSpec, Target};
use ocim::applications::site::{Defaults, Site, read};
use ocim::config::Settings;
use ocim::config::gateway::{GatewaySettings, Scheme};
use ocim::instances::application::{Application, CheckSpec, Playbook, Snapshot, SnapshotInput};
use ocim::machines::provider::{Machine, Provider};
use ocim::platform::children::Signal;
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use ocim::routing::public::PublicUrls;
use ocim::routing::traffic::{Question, Route, Traffic};
use serde_json::{Map, Value};
use shared_types::https::HttpsPolicy;
use tokio_util::sync::CancellationToken;

use super::ansible::support::{Taken, ansible, load};
use super::machines::yard::{Yard, is_root, reference, run};
use crate::app::{http, ports};

/// Number of moves between the two machines.
const SWITCHES: u32 = 6;
/// Time between two moves.
const STAY: Duration = Duration::from_millis(1500);
/// Number of concurrent visitors; each sends about ten requests per second.
const VISITORS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploys two machines from packages that are fetched: make test-examples"]
async fn kolibri_loses_no_request_when_it_switches() {
    switches_under_load("kolibri").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploys two machines from packages that are fetched: make test-examples"]
async fn wagtail_loses_no_request_when_it_switches() {
    switches_under_load("wagtail").await;
}

async fn switches_under_load(name: &str) {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let example = Example::new(name, &yard);
    let provider = yard.open().await;
    let gateway = Gateway::start(&yard).await;
    let mut machines = Vec::new();
    for id in [1, 2] {
        let machine = provider.create(&yard.spec(id)).await.unwrap();
        yard.wait_for_ssh(&machine).await;
        let began = Instant::now();
        for (playbook, number) in example.snapshot.playbooks.iter().zip(1..) {
            example.play(&yard, &machine, playbook, &format!("{id}-site-{number}")).await;
        }
        println!("{name}: machine {id} deployed in {:?}", began.elapsed());
        provider.reboot(&reference(id)).await.unwrap();
        yard.wait_for_ssh(&machine).await;
        gateway.until_checked(&machine, &example.checks).await;
        machines.push(machine);
    }
    example.runs_its_hooks(&yard, &machines[0]).await;
    gateway.switches(name, &machines, &example.checks[0]).await;
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
    gateway.inner.stop().await.unwrap();
}

/// An instance made from a template.
struct Example {
    settings: Value,
    snapshot: Snapshot,
    checks: Vec<CheckSpec>,
}

impl Example {
    /// Uses a repository with the files of this working copy.
    fn new(name: &str, yard: &Yard) -> Self {
        let examples = yard.dir.path().join("examples");
        let repository = examples.join(name);
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/examples").join(name);
        fs::create_dir_all(&examples).unwrap();
        run(Command::new("cp").arg("-r").arg(source).arg(&repository));
        let git = |arguments: &[&str]| run(Command::new("git").arg("-C").arg(&repository).args(arguments));
        git(&["init", "--quiet", "--initial-branch=master"]);
        git(&["add", "--all"]);
        git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=x"]);
        let defaults = Defaults { base_domain: "localhost".into(), protocol: "http".into() };
        let site = Site { defaults, urls: PublicUrls::at_port(8080), examples };
        let template = site.templates().into_iter().find(|template| template.name == name).unwrap();
        let settings = site.settings(None, &template.settings).unwrap();
        let input =
            SnapshotInput { name: "First", settings: &settings, secrets: &Map::new(), previous: None, resources: &[] };
        let (snapshot, checks) = (site.snapshot(input).unwrap(), site.checks(&settings).unwrap());
        Self { settings, snapshot, checks }
    }

    async fn play(&self, yard: &Yard, machine: &Machine, playbook: &Playbook, run: &str) {
        let spec = RunSpec {
            dir: yard.dir.path().join("runs").join(run),
            source_repo: playbook.source_repo.clone(),
            commit: playbook.version.clone(),
            playbook_path: playbook.playbook_path.clone(),
            requirements: playbook.requirements.clone(),
            variables: self.snapshot.variables.clone(),
            target: Target {
                ssh: (machine.endpoint.unwrap().public_ip, 22).into(),
                user: "ubuntu".to_owned(),
                private_key: fs::read_to_string(yard.key()).unwrap().into(),
                host_key: machine.host_key.clone(),
                python: None,
            },
            line_timeout: Duration::from_secs(300),
            global_timeout: Duration::from_secs(900),
        };
        fs::create_dir_all(yard.dir.path().join("runs")).unwrap();
        let (ansible, cancel, mut taken) = (ansible(), CancellationToken::new(), Taken::default());
        ansible.prepare(&load(&spec), &mut taken, &cancel).await.unwrap();
        let outcome = ansible.run(&spec, &mut taken, &cancel).await.unwrap();
        assert_eq!(outcome, RunOutcome::Succeeded, "{}", taken.texts().join("\n"));
    }

    /// Runs each hook once, in the order of an app server's life.
    async fn runs_its_hooks(&self, yard: &Yard, machine: &Machine) {
        let first = self.snapshot.playbooks[0].clone();
        for (hook, number) in read(&self.settings).unwrap().hooks.into_iter().zip(1..) {
            let playbook = Playbook { playbook_path: hook.playbook, ..first.clone() };
            self.play(yard, machine, &playbook, &format!("hook-{number}")).await;
        }
    }
}

/// A gateway that is killed if its test fails.
struct Gateway {
    inner: Arc<HaproxyGateway>,
    listen: std::net::SocketAddr,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.inner.process().signal(Signal::KILL);
    }
}

impl Gateway {
    async fn start(yard: &Yard) -> Self {
        let listen = ports::reserved();
        let settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = listen);
        let settings = GatewaySettings::new(&settings).unwrap();
        let config = GatewayConfig { settings, dir: yard.dir.path().join("gateway"), connections: 1000 };
        Self { inner: Arc::new(HaproxyGateway::start(config).await.unwrap()), listen }
    }

    /// Waits until a machine passes all checks, as a build does.
    async fn until_checked(&self, machine: &Machine, checks: &[CheckSpec]) {
        let target = (machine.endpoint.unwrap().public_ip, 80).into();
        let began = Instant::now();
        for check in checks {
            let text = check.text.as_deref();
            let question = Question { hostname: &check.hostname, path: &check.path, text, patience: check.timeout };
            loop {
                let answer = self.inner.ask(target, &question).await;
                if answer.as_ref().is_ok_and(|answer| check.accepts(answer.status) && answer.has_text) {
                    break;
                }
                assert!(began.elapsed() < Duration::from_secs(120), "{}: {answer:?}", check.name);
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }

    async fn switches(&self, name: &str, machines: &[Machine], check: &CheckSpec) {
        let send = async |machine: &Machine| {
            let target = Some((machine.endpoint.unwrap().public_ip, 80).into());
            self.inner
                .apply(&[Route {
                    hostname: check.hostname.clone(),
                    target,
                    notice: None,
                    scheme: Scheme::Http,
                    https: HttpsPolicy::Optional,
                    previews: Vec::new(),
                }])
                .await
                .unwrap();
        };
        send(&machines[0]).await;
        let (tally, is_over) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
        let visitors: Vec<_> = (0..VISITORS)
            .map(|_| tokio::spawn(visit(self.listen, check.clone(), tally.clone(), is_over.clone())))
            .collect();
        let mut slowest = Duration::ZERO;
        for machine in machines.iter().cycle().skip(1).take(SWITCHES as usize) {
            tokio::time::sleep(STAY).await;
            let began = Instant::now();
            send(machine).await;
            slowest = slowest.max(began.elapsed());
        }
        tokio::time::sleep(STAY).await;
        is_over.store(true, Ordering::Relaxed);
        for visitor in visitors {
            visitor.await.unwrap();
        }
        let (asked, failed) = (tally.asked.load(Ordering::Relaxed), tally.failed.load(Ordering::Relaxed));
        println!("{name}: {SWITCHES} switches, the slowest {slowest:?}; {asked} requests, {failed} failed");
        assert!(asked > 50, "there was a load: {asked}");
        assert_eq!(failed, 0);
    }
}

/// Counts of the visitors' requests.
#[derive(Default)]
struct Tally {
    asked: AtomicU32,
    failed: AtomicU32,
}

/// Requests the page of a check over kept-alive connections, until `is_over`.
async fn visit(gateway: std::net::SocketAddr, check: CheckSpec, tally: Arc<Tally>, is_over: Arc<AtomicBool>) {
    let client = http().resolve(&check.hostname, gateway).build().unwrap();
    let url = format!("http://{}:{}{}", check.hostname, gateway.port(), check.path);
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    while !is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        tally.asked.fetch_add(1, Ordering::Relaxed);
        let page = async {
            let answer = client.get(&url).send().await.ok()?;
            let status = answer.status().as_u16();
            let body = answer.text().await.ok()?;
            let has_text = check.text.as_ref().is_none_or(|text| body.contains(text));
            (check.accepts(status) && has_text).then_some(())
        };
        if page.await.is_none() {
            tally.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}
