//! 500 concurrent builds in one worker, in a child process, so that the measured memory is the worker's.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocim::ansible::fake::FakeAnsible;
use ocim::ansible::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use ocim::platform::events::Bus;
use ocim::worker::{Duties, Worker};
use tokio_util::sync::CancellationToken;

use crate::measure::{connect, number, peak_memory};
use crate::table::{Row, Table, Target};
use crate::world::{World, database, until_built, web};

/// The argument that makes the process the worker.
pub const CHILD: &str = "--crowd";

const BUILDS: usize = 500;
/// Longer than two heartbeats: every lease must be renewed while all builds run.
const PLAYBOOK: Duration = Duration::from_secs(12);

pub async fn run(server: &str, table: &mut Table) {
    let stop = CancellationToken::new();
    let url = database(server).await;
    let web = web(&stop).await;
    World::open(&url, web, Arc::new(FakeAnsible::with_tasks(1))).launched(BUILDS).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args([CHILD, &url, &web.to_string()]).stdout(Stdio::piped()).kill_on_drop(true);
    let output = child.spawn().unwrap().wait_with_output().await.unwrap();
    stop.cancel();
    assert!(output.status.success(), "the worker ended badly");
    let words = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = words.split_whitespace().map(|word| word.parse().unwrap()).collect();
    table.add(Row {
        name: "500 builds at once: peak memory",
        figure: numbers[1],
        floor: Some(numbers[0]),
        unit: "MB",
        target: Target::AtMost(300.0),
    });
    let client = connect(&url).await;
    let times = "SELECT extract(epoch FROM s.ended - first.at)::float8 FROM build_steps AS s, \
        (SELECT min(begun_at) AS at FROM builds) AS first WHERE s.step = 'checks' ORDER BY 1";
    let times: Vec<f64> = client.query(times, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(times.len(), BUILDS);
    table.add(Row {
        name: "500 builds at once: the last one, against the median",
        figure: times[BUILDS - 1],
        floor: Some(times[BUILDS / 2]),
        unit: "s",
        target: Target::AtMost(times[BUILDS / 2] * 2.0),
    });
    let lost = number(&client, "SELECT count(*) FROM builds WHERE lease_token <> 1 OR run <> 1").await;
    table.add(Row {
        name: "500 builds at once: leases lost",
        figure: lost as f64,
        floor: None,
        unit: "",
        target: Target::AtMost(0.0),
    });
}

/// The child process: builds what was launched; prints peak memory before and after, in MB.
pub async fn build(url: &str, web: SocketAddr) {
    let stop = CancellationToken::new();
    let ansible = Slow(FakeAnsible::with_tasks(20));
    let world = World::open(url, web, Arc::new(ansible));
    let before = peak_memory();
    let bus = Bus::start(world.manager.db.clone(), stop.clone()).await.unwrap();
    let duties = Duties { slots: BUILDS, tells_gateway: true };
    let worker = Worker::start(world.watch.clone(), &bus, duties, stop.clone()).await.unwrap();
    until_built(url).await;
    println!("{before} {}", peak_memory());
    stop.cancel();
    worker.ended().await;
}

/// An Ansible whose playbooks take `PLAYBOOK`.
#[derive(Debug)]
struct Slow(FakeAnsible);

#[async_trait]
impl Ansible for Slow {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        self.0.prepare(spec, sink, cancel).await
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        if cancel.run_until_cancelled(tokio::time::sleep(PLAYBOOK)).await.is_none() {
            return Ok(RunOutcome::Cancelled);
        }
        self.0.run(spec, sink, cancel).await
    }

    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        self.0.recover(dir, position, sink).await
    }
}
