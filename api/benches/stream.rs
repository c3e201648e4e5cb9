//! How late a log line comes to a reader of its stream while the log grows fast.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use diesel_async::AsyncConnection;
use ocim::ansible::fake::FakeAnsible;
use ocim::app::App;
use ocim::config::Settings;
use ocim::events::Bus;
use ocim::guard::Guard;
use ocim::logs::{self, About, Line};
use ocim::system::System;
use ocim::users::Secret;
use ocim::users::store::{self, tokens};
use shared_types::user::Scope;
use shared_types::{AppServerId, InstanceId, LogEntry, Role};
use tokio_util::sync::CancellationToken;

use crate::measure::{millis, notifications, percentile};
use crate::table::{Row, Table, Target};
use crate::world::{World, database, web};

/// 5,000 lines a second, as often as a run's output is looked at.
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
    let bus = Bus::start(world.manager.db.clone(), stop.clone()).await.unwrap();
    let limits = Settings { ocim_principal_rate: 0, ocim_address_rate: 0, ..Settings::default() };
    let app = App {
        guard: Arc::new(Guard::new(&limits).unwrap()),
        manager: world.manager.clone(),
        bus,
        is_behind_tls: false,
        gateway_port: None,
        stop: stop.clone(),
        system: Arc::new(System::new(&limits)),
        worker: Arc::new(AtomicBool::new(false)),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let server = ocim::start::http(app, listener).unwrap();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let response = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("http://{address}/api/v1/app-servers/{id}/logs/stream"))
        .bearer_auth(token(&world).await)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let reader = tokio::spawn(read(response));
    write(&world, (instance, id)).await;
    let late = reader.await.unwrap();
    stop.cancel();
    handle.stop(false).await;
    serving.await.unwrap().unwrap();
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

async fn token(world: &World) -> String {
    let secret = Secret::random().unwrap();
    let mut conn = world.manager.db.conn().await.unwrap();
    store::insert(&mut conn, "bench", "no password has this hash", Role::Viewer).await.unwrap();
    let user = store::by_name(&mut conn, "bench").await.unwrap().unwrap().0;
    tokens::insert(&mut conn, user, ("bench", Role::Viewer, Scope::ALL, 1), &secret.hash()).await.unwrap();
    secret.reveal().to_owned()
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Each line says when it was handed over.
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

/// How late each line came.
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
