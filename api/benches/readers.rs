//! 2,000 open streams in a child process, so that the measured memory is that of the server and the readers.

use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocim::ansible::fake::FakeAnsible;
use tokio_util::sync::CancellationToken;

use crate::measure::{millis, peak_memory};
use crate::served::{Served, Visitor};
use crate::table::{Row, Table, Target};
use crate::world::{World, database, web};

/// The argument that makes the process the server and its readers.
pub const CHILD: &str = "--readers";

const READERS: usize = 2000;
const EVENTS: usize = 10;

pub async fn run(server: &str, table: &mut Table) {
    let url = database(server).await;
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    let child = child.args([CHILD, &url]).stdout(Stdio::piped()).kill_on_drop(true);
    let output = child.spawn().unwrap().wait_with_output().await.unwrap();
    assert!(output.status.success(), "the server ended badly");
    let words = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<f64> = words.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let [before, with_readers, slowest] = numbers[..] else { panic!("{words}") };
    table.add(Row {
        name: "2,000 open streams: peak memory, readers too",
        figure: with_readers,
        floor: Some(before),
        unit: "MB",
        target: Target::AtMost(150.0),
    });
    table.add(Row {
        name: "2,000 open streams: an event reaches the last",
        figure: slowest,
        floor: None,
        unit: "ms",
        target: Target::AtMost(500.0),
    });
}

/// Opens the streams; prints peak memory before and after in MB, and the latency of the slowest event in ms.
pub async fn read(url: &str) {
    let stop = CancellationToken::new();
    let world = World::open(url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)));
    let instance = world.instance(0).await;
    let served = Served::start(&world).await;
    let before = peak_memory();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut reader = Visitor::connect(served.address).await;
        reader.ask("/api/v1/events", &served.token).await;
        while !reader.has("text/event-stream") {
            assert!(reader.read().await, "a stream was refused");
        }
        readers.push(reader);
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..EVENTS {
        let began = Instant::now();
        let waiting = readers.into_iter().map(|mut reader| {
            tokio::spawn(async move {
                while !reader.has("AppServerLaunched") {
                    assert!(reader.read().await, "a stream ended");
                }
                reader
            })
        });
        let waiting: Vec<_> = waiting.collect();
        world.launch(instance).await;
        readers = Vec::with_capacity(READERS);
        for reader in waiting {
            readers.push(reader.await.unwrap());
        }
        slowest = slowest.max(began.elapsed());
    }
    println!("{before} {} {}", peak_memory(), millis(slowest));
    drop(readers);
    served.end().await;
    stop.cancel();
}
