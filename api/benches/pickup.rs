//! How soon an idle worker begins a launched build.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ocim::ansible::fake::FakeAnsible;
use ocim::platform::events::Bus;
use ocim::worker::{Duties, Worker};
use tokio_util::sync::CancellationToken;

use crate::measure::{connect, millis, notifications, percentile};
use crate::table::{Row, Table, Target};
use crate::world::{World, database, until_built, web};

const SAMPLES: usize = 200;
/// Out of step with the worker's interval, so that samples are spread over it.
const PAUSE: Duration = Duration::from_millis(37);

pub async fn run(server: &str, table: &mut Table) {
    let stop = CancellationToken::new();
    let url = database(server).await;
    // Polls often, to end the builds soon.
    let poll = Duration::from_millis(5);
    let world = World::with_poll(&url, web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)), poll);
    let mut instances = Vec::new();
    for number in 0..SAMPLES {
        instances.push(world.instance(number).await);
    }
    let bus = Bus::start(world.manager.db.clone(), stop.clone()).await.unwrap();
    let duties = Duties { slots: 4, tells_gateway: true };
    let worker = Worker::start(world.watch.clone(), &bus, duties, stop.child_token()).await.unwrap();
    let client = connect(&url).await;
    let mut taken = Vec::new();
    for instance in instances {
        let id = world.launch(instance).await;
        let committed = SystemTime::now();
        until_built(&url).await;
        tokio::time::sleep(PAUSE).await;
        let row = client.query_one("SELECT begun_at FROM builds WHERE app_server_id = $1", &[&id.0]).await.unwrap();
        // The build may begin before the bench learns of the commit.
        taken.push(row.get::<_, SystemTime>(0).duration_since(committed).unwrap_or_default());
    }
    stop.cancel();
    worker.ended().await;
    let floor = notifications(&url, SAMPLES).await;
    for (name, part, target) in
        [("a job is picked up: p50", 0.5, Target::None), ("a job is picked up: p99", 0.99, Target::AtMost(50.0))]
    {
        table.add(Row {
            name,
            figure: millis(percentile(&taken, part)),
            floor: Some(millis(percentile(&floor, part))),
            unit: "ms",
            target,
        });
    }
}
