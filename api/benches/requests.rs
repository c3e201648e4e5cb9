//! Requests for a page and for an instance, with few and with many instances, compared with `pgbench` on the same rows
//! as JSON and with a constant answer of the web server.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, HttpServer, web};
use ocim::ansible::fake::FakeAnsible;
use ocim::platform::db::embedded;
use tokio_util::sync::CancellationToken;

use crate::copies;
use crate::measure::{connect, millis, peak_memory, percentile};
use crate::served::{Served, Visitor};
use crate::table::{Row, Table, Target};
use crate::world::{self, World, database};

/// Numbers of instances; each has five app servers and 300 log lines.
const SIZES: [usize; 4] = [20, 200, 1_000, 10_000];
/// Concurrent connections.
const CONNECTIONS: usize = 4;
const SPAN: Duration = Duration::from_secs(4);

const LIST: &str = "/api/v1/instances?limit=50";

/// The columns of an app server in an answer, without its reasons for waiting in the queue.
const APP_SERVER: &str = "SELECT s.id, s.name, s.status, s.failure, s.requested_by, s.reason, s.created, s.modified, s.trigger, \
    s.attempt, s.num_attempts, s.retry_of, b.step, b.tasks_done, b.tasks_total, b.task, b.deadline, b.estimated_end, \
    b.begun_at, b.activate_when_running, b.stop_requested_by, m.status AS server, r.pinned_at, r.terminates_at, \
    EXISTS (SELECT 1 FROM activations AS d WHERE d.replaced_app_server_id = s.id AND d.drain_limit_seconds IS NOT NULL \
        AND d.drained_at IS NULL) AS is_draining, \
    EXISTS (SELECT 1 FROM hook_runs AS h WHERE h.app_server_id = s.id AND h.moment = 'before_traffic' \
        AND h.settled_at IS NULL) AS is_activating \
    FROM app_servers AS s JOIN builds AS b ON b.app_server_id = s.id JOIN servers AS m ON m.id = s.server_id \
    LEFT JOIN app_server_retention AS r ON r.app_server_id = s.id";

/// A list of 50 instances, as JSON made by Postgres.
fn list_sql() -> String {
    format!(
        "SELECT json_agg(page) FROM (SELECT i.id, i.name, i.instance_type, i.domain, i.created, i.modified, i.archived_at, \
         i.hold_at, i.next_app_server_number, i.fallback_app_server_id, \
         (SELECT row_to_json(h) FROM instance_health AS h WHERE h.instance_id = i.id) AS health, \
         (SELECT row_to_json(a) FROM ({APP_SERVER} WHERE s.id = i.active_app_server_id) AS a) AS active, \
         (SELECT row_to_json(n) FROM ({APP_SERVER} WHERE s.instance_id = i.id ORDER BY s.id DESC LIMIT 1) AS n) AS newest \
         FROM instances AS i WHERE i.archived_at IS NULL ORDER BY i.name, i.id LIMIT 50) AS page;\n"
    )
}

/// One instance with its app servers, as JSON made by Postgres.
fn detail_sql() -> String {
    format!(
        "SELECT row_to_json(one) FROM (SELECT i.*, (SELECT json_agg(a) FROM ({APP_SERVER} WHERE s.instance_id = i.id \
         ORDER BY s.id DESC LIMIT 100) AS a) AS app_servers, (SELECT row_to_json(x) FROM (SELECT s.settings FROM app_servers AS s \
         WHERE s.id = i.active_app_server_id) AS x) AS active FROM instances AS i WHERE i.id = 7) AS one;\n"
    )
}

/// Requests per second, and how long each took.
struct Pace {
    a_second: f64,
    p50: f64,
    p99: f64,
}

pub async fn run(server: &str, postgres: &Path, table: &mut Table) {
    let constant = constant().await;
    let floor = |figure: f64| Row { name: "", figure, floor: None, unit: "1/s", target: Target::None };
    table.add(Row { name: "a constant answer of the web server", ..floor(constant.a_second) });
    let mut pages = Vec::new();
    for size in SIZES {
        let url = database(server).await;
        let stop = CancellationToken::new();
        let world = World::open(&url, world::web(&stop).await, Arc::new(FakeAnsible::with_tasks(1)));
        fill(&world, &url, size).await;
        let served = Served::start(&world).await;
        for (what, path, sql) in [("list of 50", LIST, list_sql()), ("detail", "/api/v1/instances/7", detail_sql())] {
            let ours = ask(&served, path).await;
            let alone = pgbench(postgres, &url, &sql).await;
            let is_asked = size == 10_000 && what == "list of 50";
            let name = |words: &str| format!("{what}, {size} instances: {words}");
            let (rate, p99) = if is_asked {
                (Target::AtLeast(alone.a_second / 2.0), Target::AtMost(alone.p99 * 3.0))
            } else {
                (Target::None, Target::None)
            };
            for (words, figure, floor, unit, target) in [
                ("requests", ours.a_second, alone.a_second, "1/s", rate),
                ("p50", ours.p50, alone.p50, "ms", Target::None),
                ("p99", ours.p99, alone.p99, "ms", p99),
            ] {
                table.add(Row { name: &name(words), figure, floor: Some(floor), unit, target });
            }
            if what == "list of 50" {
                pages.push((size, ours.p50));
            }
        }
        served.end().await;
        stop.cancel();
    }
    let of = |wanted: usize| pages.iter().find(|(size, _)| *size == wanted).unwrap().1;
    table.add(Row {
        name: "one page with 10,000 instances, against 200",
        figure: of(10_000),
        floor: Some(of(200)),
        unit: "ms",
        target: Target::AtMost(of(200) * 1.5),
    });
    table.add(Row {
        name: "peak memory, asking and being asked",
        figure: peak_memory(),
        floor: None,
        unit: "MB",
        target: Target::None,
    });
}

/// A typical set of instances: the program makes the first one, SQL copies it.
async fn fill(world: &World, url: &str, size: usize) {
    world.launched(1).await;
    let client = connect(url).await;
    for statement in copies::of_the_first(size) {
        client.batch_execute(&statement).await.unwrap();
    }
    client.batch_execute("VACUUM ANALYZE").await.unwrap();
}

async fn ask(served: &Served, path: &'static str) -> Pace {
    let asking = (0..CONNECTIONS).map(|_| {
        let (address, token) = (served.address, served.token.clone());
        tokio::spawn(async move {
            let mut visitor = Visitor::connect(address).await;
            // Warms up plans and connections.
            for _ in 0..20 {
                visitor.get(path, &token).await;
            }
            let (began, mut taken) = (Instant::now(), Vec::new());
            while began.elapsed() < SPAN {
                let asked = Instant::now();
                visitor.get(path, &token).await;
                taken.push(asked.elapsed());
            }
            taken
        })
    });
    let taken: Vec<Duration> = futures::future::join_all(asking).await.into_iter().flat_map(Result::unwrap).collect();
    Pace {
        a_second: taken.len() as f64 / SPAN.as_secs_f64(),
        p50: millis(percentile(&taken, 0.5)),
        p99: millis(percentile(&taken, 0.99)),
    }
}

async fn constant() -> Pace {
    let (server, address) = constant_server();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let counts = futures::future::join_all((0..CONNECTIONS).map(|_| asked_by(address))).await;
    handle.stop(false).await;
    serving.await.unwrap().unwrap();
    Pace { a_second: counts.iter().sum::<usize>() as f64 / SPAN.as_secs_f64(), p50: 0.0, p99: 0.0 }
}

/// A web server that gives every request the same answer.
fn constant_server() -> (actix_web::dev::Server, std::net::SocketAddr) {
    let factory = || {
        actix_web::App::new()
            .default_service(web::to(async || HttpResponse::Ok().content_type("text/plain").body("{}")))
    };
    let server = HttpServer::new(factory).workers(2).disable_signals().bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    (server.run(), address)
}

async fn asked_by(address: std::net::SocketAddr) -> usize {
    let mut visitor = Visitor::connect(address).await;
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < SPAN {
        visitor.get(LIST, "").await;
        count += 1;
    }
    count
}

/// Runs `pgbench` with this query.
async fn pgbench(postgres: &Path, url: &str, sql: &str) -> Pace {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("script.sql"), sql).unwrap();
    let program = embedded::tool(postgres, "pgbench").await.unwrap();
    let seconds = SPAN.as_secs().to_string();
    let output = tokio::process::Command::new(program)
        .current_dir(dir.path())
        .args(["--no-vacuum", "--protocol=prepared", "--log", "--log-prefix=taken", "--file=script.sql"])
        .args(["--client", &CONNECTIONS.to_string(), "--jobs", "2", "--time", &seconds, url])
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut taken = Vec::new();
    for file in std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("taken") {
            // Columns: client, transaction, microseconds, …
            let lines = std::fs::read_to_string(file).unwrap();
            taken.extend(
                lines.lines().map(|line| Duration::from_micros(line.split(' ').nth(2).unwrap().parse().unwrap())),
            );
        }
    }
    Pace {
        a_second: taken.len() as f64 / SPAN.as_secs_f64(),
        p50: millis(percentile(&taken, 0.5)),
        p99: millis(percentile(&taken, 0.99)),
    }
}
