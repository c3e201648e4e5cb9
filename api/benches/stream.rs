//! Latency of log lines in a stream while the log grows fast.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel_async::AsyncConnection;
use ocim::ansible::fake::FakeAnsible;
use ocim::platform::logs::{self, About, Line};
use shared_types::{AppServerId, InstanceId, LogEntry};
use tokio_util::sync::CancellationToken;

use crate::measure::{millis, notifications, percentile};
use crate::served::Served;
use crate::table::{Row, Table, Target};
use crate::world::{World, database, web};

/// Lines per batch: 5,000 per second at the interval of a run's output polling.
const BATCH: usize = 500;
const EVERY: Duration = Duration::from_millis(100);
const BATCHES: usize = 100;
const BYTES: usize = 120;
const LAST: &str = "the last line";

pub async fn run(server: &str, table: &mut Table) {
    let stop = CancellationToken::new();
    let url = database(server).await;
    let world = World::open(&url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)));
    let instance = world.instance(0).await;
    let id = world.launch(instance).await;
    let served = Served::start(&world).await;
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("http://{}/api/v1/app-servers/{id}/logs/stream", served.address))
        .bearer_auth(&served.token)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let reader = tokio::spawn(read(response));
    write(&world, (instance, id)).await;
    let late = reader.await.unwrap();
    served.end().await;
    stop.cancel();
    let floor = notifications(&url, 200).await;
    assert_eq!(late.len(), BATCH * BATCHES, "lines that did not come, or came twice");
    for (name, part, target) in [
        ("a log line to a reader, 5,000 lines/s: p50", 0.5, Target::None),
        ("a log line to a reader, 5,000 lines/s: p99", 0.99, Target::AtMost(250.0)),
    ] {
        table.add(Row {
            name,
            figure: millis(percentile(&late, part)),
            floor: Some(millis(percentile(&floor, part))),
            unit: "ms",
            target,
        });
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Each line contains its time of writing.
async fn write(world: &World, (instance, id): (InstanceId, AppServerId)) {
    let about = About::AppServer(instance, id);
    let mut ticks = tokio::time::interval(EVERY);
    let append = async |lines: &[Line]| {
        let mut conn = world.manager.db.conn().await.unwrap();
        conn.transaction(async |conn| logs::append(conn, about, lines).await).await.unwrap();
    };
    for _ in 0..BATCHES {
        ticks.tick().await;
        let text = format!("{:<BYTES$}", now().as_micros());
        let lines: Vec<Line> = (0..BATCH).map(|_| Line::info(format!("{}.", &text[..BYTES - 1]))).collect();
        append(&lines).await;
    }
    append(&[Line::info(LAST)]).await;
}

/// The latency of each line.
async fn read(mut response: reqwest::Response) -> Vec<Duration> {
    let (mut late, mut text) = (Vec::new(), String::new());
    while let Some(chunk) = response.chunk().await.unwrap() {
        let came = now();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
        let Some(end) = text.rfind("\n\n") else { continue };
        let rest = text.split_off(end + 2);
        for data in text.lines().filter_map(|line| line.strip_prefix("data:")) {
            let entry: LogEntry = serde_json::from_str(data).unwrap();
            if entry.text == LAST {
                return late;
            }
            let word = entry.text.split_whitespace().next().unwrap_or_default();
            if let Ok(micros) = word.parse() {
                late.push(came.saturating_sub(Duration::from_micros(micros)));
            }
        }
        text = rest;
    }
    late
}
