//! How many log lines are stored per second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use diesel_async::AsyncConnection;
use ocim::ansible::fake::FakeAnsible;
use ocim::platform::db::Db;
use ocim::platform::logs::{self, About, Line};
use shared_types::{AppServerId, InstanceId};
use tokio_util::sync::CancellationToken;

use crate::measure::connect;
use crate::table::{Row, Table, Target};
use crate::world::{World, database, web};

const WRITERS: usize = 50;
const BATCH: usize = 200;
const BYTES: usize = 120;
const SPAN: Duration = Duration::from_secs(6);
/// As many as the program's connection pool has.
const CONNECTIONS: usize = 24;

pub async fn run(server: &str, table: &mut Table) {
    let stop = CancellationToken::new();
    let url = database(server).await;
    let world = World::open(&url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)));
    let made = world.launched(WRITERS).await;
    let ours = during(made.iter().map(|ids| write(world.manager.db.clone(), *ids))).await;
    let floor_url = database(server).await;
    let others = World::open(&floor_url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)));
    let made = others.launched(WRITERS).await;
    let writers = (0..CONNECTIONS).map(|n| write_plainly(floor_url.clone(), made[n]));
    let floor = during(writers).await;
    stop.cancel();
    table.add(Row {
        name: "log lines stored, 50 writers, batches of 200",
        figure: ours,
        floor: Some(floor),
        unit: "lines/s",
        target: Target::AtLeast(50_000.0),
    });
}

/// Lines per second of the writers, each of which counts its lines after each batch.
async fn during<W: Future<Output = ()> + Send + 'static>(writers: impl Iterator<Item = Writer<W>>) -> f64 {
    let written = Arc::new(AtomicU64::new(0));
    let stop = CancellationToken::new();
    let began = Instant::now();
    let tasks: Vec<_> = writers
        .map(|Writer { begin }| tokio::spawn(stop.clone().run_until_cancelled_owned(begin(written.clone()))))
        .collect();
    tokio::time::sleep(SPAN).await;
    let rate = written.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    rate
}

struct Writer<W> {
    begin: Box<dyn FnOnce(Arc<AtomicU64>) -> W>,
}

/// Writes through the program's own code.
fn write(db: Db, (instance, id): (InstanceId, AppServerId)) -> Writer<impl Future<Output = ()> + Send + 'static> {
    let begin = move |written: Arc<AtomicU64>| async move {
        let about = About::AppServer(instance, id);
        let lines: Vec<Line> = (0..BATCH).map(|_| Line::info("x".repeat(BYTES))).collect();
        loop {
            let mut conn = db.conn().await.unwrap();
            conn.transaction(async |conn| logs::append(conn, about, &lines).await).await.unwrap();
            written.fetch_add(BATCH as u64, Ordering::Relaxed);
        }
    };
    Writer { begin: Box::new(begin) }
}

/// Writes the same rows with one plain INSERT per batch.
fn write_plainly(
    url: String,
    (instance, id): (InstanceId, AppServerId),
) -> Writer<impl Future<Output = ()> + Send + 'static> {
    let begin = move |written: Arc<AtomicU64>| async move {
        let client = connect(&url).await;
        let insert = "INSERT INTO log_entries (created, level, text, instance_id, app_server_id, seq) \
            SELECT created, level, text, $4, $5, seq FROM unnest($1::timestamptz[], $2::text[], $3::text[], $6::bigint[]) \
            AS t (created, level, text, seq)";
        let insert = client.prepare(insert).await.unwrap();
        // The launch has already written a few lines.
        let mut next = 1_000_i64;
        loop {
            let created = vec![SystemTime::now(); BATCH];
            let levels = vec!["INFO"; BATCH];
            let texts = vec!["x".repeat(BYTES); BATCH];
            let numbers: Vec<i64> = (next..next + BATCH as i64).collect();
            next += BATCH as i64;
            client.execute(&insert, &[&created, &levels, &texts, &instance.0, &id.0, &numbers]).await.unwrap();
            written.fetch_add(BATCH as u64, Ordering::Relaxed);
        }
    };
    Writer { begin: Box::new(begin) }
}
