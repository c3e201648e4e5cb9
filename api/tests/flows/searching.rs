//! Many searches in a long log whose callers leave: the program goes on, and nothing of them is left.

use std::time::{Duration, Instant};

use ocim::ansible::fake::FakeEnd;
use serde_json::json;
use tokio::time::timeout;

use crate::app::{Client, TestApp, until};

/// Statements of searches that the server runs now.
const RUNNING: &str = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
    AND state = 'active' AND query ILIKE '%log_entries%ilike%' AND pid <> pg_backend_pid()";

/// Fills the log of an instance with this many lines.
async fn fill(app: &TestApp, instance: i64, lines: u64) {
    let mut conn = app.db.dedicated().await.unwrap();
    let statement = format!(
        "INSERT INTO log_entries (created, level, text, instance_id) \
         SELECT now(), '{}', repeat(md5(n::text), 8), {instance} FROM generate_series(1, {lines}) AS n",
        shared_types::LogLevel::Info.as_str()
    );
    for statement in ["SET statement_timeout = 0", &statement] {
        diesel_async::RunQueryDsl::execute(diesel::sql_query(statement), &mut conn).await.unwrap();
    }
}

/// Forty searches by five people, each of whom leaves after a moment.
async fn leave_searches(people: &[Client], patience: Duration) {
    let search = async |number: usize| {
        let path = format!("/api/v1/logs?q=nowhere{number}");
        timeout(patience, people[number % people.len()].get(&path)).await.is_err()
    };
    let left = futures::future::join_all((0..40).map(search)).await;
    assert!(left.iter().filter(|is_left| **is_left).count() > 30, "most left before their answer: {left:?}");
}

/// What holds while and after many searches are abandoned.
async fn the_program_goes_on(lines: u64, patience: Duration) {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    fill(&app, instance, lines).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let id = app.launched(instance).await;
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    let token = app.number("SELECT lease_token AS n FROM builds").await;
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(app.viewer().await);
    }
    let others = async {
        let began = Instant::now();
        while began.elapsed() < patience + Duration::from_secs(2) {
            for path in ["/readyz", "/api/v1/instances", "/api/v1/app-servers"] {
                let asked = Instant::now();
                people[0].get(path).await.expect(200);
                assert!(asked.elapsed() < Duration::from_secs(3), "{path}: {:?}", asked.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(others, leave_searches(&people, patience));
    let ended = Instant::now();
    until("no search outlives its caller", async || app.number(RUNNING).await == 0).await;
    assert!(ended.elapsed() < Duration::from_secs(2), "{:?}", ended.elapsed());
    assert_eq!(app.ansible.calls().run, 1);
    assert_eq!(app.number("SELECT lease_token AS n FROM builds").await, token, "the lease was not lost");
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
    until("it is stopped", async || app.read_app_server(id).await["status"] == "stopped").await;
    app.end().await;
}

#[tokio::test]
async fn forty_abandoned_searches_leave_nothing_behind() {
    Box::pin(the_program_goes_on(300_000, Duration::from_millis(150))).await;
}

/// Takes minutes and gigabytes: `make test-searches`.
#[tokio::test]
#[ignore = "fills a table with ten million rows"]
async fn forty_abandoned_searches_in_ten_million_lines_leave_nothing_behind() {
    Box::pin(the_program_goes_on(10_000_000, Duration::from_secs(1))).await;
}

#[tokio::test]
async fn one_person_has_two_searches_at_once_and_is_told_so() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    let name = "SELECT id AS n FROM users WHERE username LIKE 'viewer-%'";
    let user = shared_types::UserId(app.number(name).await);
    let (_first, _second) =
        (app.guard.searches.turn(user).await.unwrap(), app.guard.searches.turn(user).await.unwrap());
    let answer = viewer.get("/api/v1/logs?q=x").await;
    let problem = answer.problem(429);
    assert!(problem["detail"].as_str().unwrap().contains("Other searches of yours"), "{problem}");
    assert_eq!(answer.header("retry-after"), "3");
    viewer.get("/api/v1/logs").await.expect(200);
    let another = app.viewer().await;
    another.get("/api/v1/logs?q=x").await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_request_that_waits_too_long_for_a_lock_is_given_up_in_words() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    let read = operator.get(&format!("/api/v1/instances/{instance}")).await;
    let mut holder = app.db.dedicated().await.unwrap();
    for statement in ["BEGIN", "SELECT 1 FROM instances FOR UPDATE"] {
        diesel_async::RunQueryDsl::execute(diesel::sql_query(statement), &mut holder).await.unwrap();
    }
    let path = format!("/api/v1/instances/{instance}");
    let answer = operator.patch(&path, read.header("etag"), json!({ "name": "other" })).await;
    let problem = answer.problem(503);
    assert!(problem["detail"].as_str().unwrap().contains("took too long"), "{problem}");
    drop(holder);
    app.end().await;
}
