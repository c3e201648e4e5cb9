//! What a build costs in addition to its Ansible time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use ocim::ansible::fake::FakeAnsible;
use ocim::platform::events::Bus;
use ocim::worker::{Duties, Worker};
use tokio_util::sync::CancellationToken;

use crate::measure::{connect, millis, number, processor_time};
use crate::table::{Row, Table, Target};
use crate::world::{World, database, until_built, web};

const BUILDS: usize = 50;
/// Each task prints two lines.
const TASKS: u32 = 20;

static STATEMENTS: AtomicU64 = AtomicU64::new(0);
static KEEPS_TEXTS: AtomicBool = AtomicBool::new(false);
static TEXTS: LazyLock<Mutex<HashMap<String, u64>>> = LazyLock::new(Mutex::default);

pub async fn run(server: &str, table: &mut Table, shows_statements: bool) {
    set_default_instrumentation(counter).unwrap();
    let stop = CancellationToken::new();
    let url = database(server).await;
    let world = World::open(&url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(TASKS)));
    world.launched(BUILDS).await;
    let bus = Bus::start(world.manager.db.clone(), stop.clone()).await.unwrap();
    let client = connect(&url).await;
    let (transactions, began) = (commits(&client).await, processor_time());
    STATEMENTS.store(0, Ordering::Relaxed);
    KEEPS_TEXTS.store(shows_statements, Ordering::Relaxed);
    let duties = Duties { slots: BUILDS, tells_gateway: true };
    let worker = Worker::start(world.watch.clone(), &bus, duties, stop.child_token()).await.unwrap();
    until_built(&url).await;
    let (statements, took) = (STATEMENTS.load(Ordering::Relaxed), processor_time() - began);
    KEEPS_TEXTS.store(false, Ordering::Relaxed);
    let transactions = commits(&client).await - transactions;
    let floor = round_trips(&world, statements).await;
    stop.cancel();
    worker.ended().await;
    let each = |value: f64| value / BUILDS as f64;
    table.add(Row {
        name: "cost of a build: processor time",
        figure: each(millis(took)),
        floor: Some(each(millis(floor))),
        unit: "ms",
        target: Target::None,
    });
    table.add(Row {
        name: "cost of a build: statements of ours",
        figure: each(statements as f64),
        floor: None,
        unit: "statements",
        target: Target::None,
    });
    table.add(Row {
        name: "cost of a build: transactions, the queue's too",
        figure: each(transactions as f64),
        floor: None,
        unit: "commits",
        target: Target::None,
    });
    show_texts();
}

/// Counts every statement of all connections made from now on.
fn counter() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            STATEMENTS.fetch_add(1, Ordering::Relaxed);
            if KEEPS_TEXTS.load(Ordering::Relaxed) {
                let text = query.to_string();
                let text = text.split(" -- binds").next().unwrap_or_default().to_owned();
                *TEXTS.lock().unwrap().entry(text).or_default() += 1;
            }
        }
    }))
}

fn show_texts() {
    let mut texts: Vec<_> = TEXTS.lock().unwrap().drain().collect();
    texts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (text, count) in texts {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(110).collect();
        println!("    {:>7.2} a build  {text}", count as f64 / BUILDS as f64);
    }
}

/// Transactions that Postgres has committed; the counter lags a little.
async fn commits(client: &tokio_postgres::Client) -> i64 {
    tokio::time::sleep(Duration::from_millis(1200)).await;
    number(client, "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()").await
}

/// The processor time of `count` statements that do nothing.
async fn round_trips(world: &World, count: u64) -> Duration {
    use diesel_async::RunQueryDsl;
    let mut conn = world.manager.db.conn().await.unwrap();
    let began = processor_time();
    for _ in 0..count {
        diesel::sql_query("SELECT 1").execute(&mut *conn).await.unwrap();
    }
    processor_time() - began
}
