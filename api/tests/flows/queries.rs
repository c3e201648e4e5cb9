//! The number of queries of a view does not depend on its number of rows. The expected numbers are written here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::InstrumentationEvent;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use ocim::instances::access;
use ocim::instances::builds::compare::{self, Against};
use ocim::instances::builds::migration::view as migrations;
use ocim::instances::settings::read;
use ocim::instances::store::{activations, instances, listing, machines, retention, summaries};
use ocim::instances::traffic::switch::{self, Switch};
use ocim::platform::logs::{self, About};
use ocim::platform::origin::Actor;
use ocim::pull_requests;
use ocim::pull_requests::store::listing::Query as PullRequests;
use shared_types::HealthState;
use shared_types::app_server::ActivationKind;
use shared_types::instance::InstanceSort;
use shared_types::{AppServerId, InstanceId, MachineRole, PullRequestId, ServerId};

use crate::app::{TestApp, copies};

/// A connection whose queries are counted.
async fn counting(app: &TestApp) -> (AsyncPgConnection, Arc<AtomicUsize>) {
    let mut conn = app.db.dedicated().await.unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (conn, count)
}

/// The number of queries of each view.
async fn counts(app: &TestApp) -> Vec<(&'static str, usize)> {
    counts_of(app, 1).await
}

/// The same for the instance and the app server with this id.
async fn counts_of(app: &TestApp, id: i64) -> Vec<(&'static str, usize)> {
    let (mut conn, count) = counting(app).await;
    let taken = |name| (name, count.swap(0, Ordering::Relaxed));
    let (instance, app_server) = (InstanceId(id), AppServerId(id));
    let conn: &mut AsyncPgConnection = &mut conn;
    let mut found = Vec::new();
    read::instance_page(conn, &listing::Query { limit: 50, ..Default::default() }).await.unwrap();
    found.push(taken("list_instances"));
    let by_health = listing::Query {
        health: Some(vec![None, Some(HealthState::Ok), Some(HealthState::Unknown)]),
        sort: InstanceSort::Health,
        limit: 50,
        ..Default::default()
    };
    read::instance_page(conn, &by_health).await.unwrap();
    found.push(taken("list_instances by health"));
    read::instance(&app.manager, conn, instance).await.unwrap();
    found.push(taken("read_instance"));
    migrations::read(&app.manager, conn, instance).await.unwrap();
    found.push(taken("read_instance: migrations"));
    ocim::instances::backups::copy::read(conn, instance).await.unwrap();
    found.push(taken("read_instance: copy"));
    summaries::page(conn, &summaries::Query { limit: 50, ..Default::default() }).await.unwrap();
    found.push(taken("list_app_servers"));
    read::app_server(&app.manager, conn, app_server).await.unwrap();
    found.push(taken("read_app_server"));
    compare::diff(&app.manager, conn, app_server, Against::AppServer(app_server)).await.unwrap();
    found.push(taken("diff_app_server"));
    compare::diff(&app.manager, conn, app_server, Against::Instance).await.unwrap();
    found.push(taken("diff_app_server against the instance"));
    compare::render(&app.manager, conn, instance).await.unwrap();
    found.push(taken("render_instance"));
    activations::page(conn, instance, None, 50).await.unwrap();
    found.push(taken("list_activations"));
    logs::page(conn, About::AppServer(instance, app_server), &logs::Query { limit: 50, ..Default::default() })
        .await
        .unwrap();
    found.push(taken("list_app_server_logs"));
    let sought = logs::Query { text: Some("1".into()), ..Default::default() };
    logs::matches(conn, About::AppServer(instance, app_server), &sought).await.unwrap();
    found.push(taken("list_app_server_log_matches"));
    let sought = machines::Query {
        text: Some("campus".into()),
        role: Some(MachineRole::Active),
        limit: 50,
        ..Default::default()
    };
    for query in [machines::Query { limit: 50, ..Default::default() }, sought] {
        machines::page(conn, &app.manager.providers, &query).await.unwrap();
    }
    found.push(taken("list_servers, twice"));
    machines::read(conn, &app.manager.providers, ServerId(id)).await.unwrap();
    found.push(taken("read_server"));
    access::read(&app.manager, conn, app_server).await.unwrap();
    found.push(taken("read_app_server_access"));
    machines::counts(conn).await.unwrap();
    found.push(taken("count_servers"));
    retention::page(conn, None, 50).await.unwrap();
    found.push(taken("list_retention"));
    pull_requests::read::page(&app.watch, conn, &PullRequests { limit: 50, ..Default::default() }).await.unwrap();
    found.push(taken("list_pull_requests"));
    pull_requests::read::one(&app.watch, conn, PullRequestId(1)).await.unwrap();
    found.push(taken("read_pull_request"));
    pull_requests::store::rows::source_of(conn, instance, "https://github.com").await.unwrap();
    found.push(taken("source_pr"));
    ocim::platform::metrics::store::read(conn).await.unwrap();
    found.push(taken("read_metrics"));
    ocim::instances::backups::view::list(&app.manager, conn, instance).await.unwrap();
    found.push(taken("list_backups"));
    ocim::instances::names::view::read(&app.manager, conn, instance).await.unwrap();
    found.push(taken("read_instance_dns"));
    ocim::certificates::store::page(conn, None, None, 50).await.unwrap();
    found.push(taken("list_certificates"));
    ocim::instances::certificates::read(&app.manager, conn, instance).await.unwrap();
    found.push(taken("read_certificate"));
    found
}

#[tokio::test]
async fn views_take_as_many_queries_for_many_rows_as_for_few() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    for statement in copies::PULL_REQUESTS {
        app.execute(statement).await;
    }
    let few = counts(&app).await;
    assert_eq!(
        few,
        [
            ("list_instances", 2),
            ("list_instances by health", 3),
            ("read_instance", 3),
            ("read_instance: migrations", 2),
            ("read_instance: copy", 1),
            ("list_app_servers", 1),
            ("read_app_server", 6),
            ("diff_app_server", 4),
            ("diff_app_server against the instance", 3),
            ("render_instance", 2),
            ("list_activations", 1),
            ("list_app_server_logs", 1),
            ("list_app_server_log_matches", 1),
            ("list_servers, twice", 2),
            ("read_server", 1),
            ("read_app_server_access", 4),
            ("count_servers", 1),
            ("list_retention", 1),
            ("list_pull_requests", 3),
            ("read_pull_request", 3),
            ("source_pr", 1),
            ("read_metrics", 1),
            ("list_backups", 4),
            ("read_instance_dns", 3),
            ("list_certificates", 1),
            ("read_certificate", 2),
        ]
    );
    for _ in 0..3 {
        app.running(instance).await;
    }
    let mut conn = app.conn().await;
    for statement in copies::of_the_first(200) {
        conn.batch_execute(&statement).await.unwrap();
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM instances").await, 200);
    app.execute(copies::PULL_REQUESTS[1]).await;
    assert_eq!(app.number("SELECT count(*) AS n FROM pull_requests WHERE instance_id IS NOT NULL").await, 200);
    assert_eq!(counts(&app).await, few);
    app.end().await;
}

#[tokio::test]
async fn views_with_secrets_take_one_query_more_for_any_number_of_secrets() {
    let app = TestApp::start().await;
    for secrets in [1, 40] {
        let extra: String = (0..secrets).map(|at| format!("K{at}_PASSWORD: x{at}\n")).collect();
        let body = serde_json::json!({"name": "x", "sub_domain": format!("x{secrets}"), "configuration_extra_settings": extra});
        let created = app.operator().await.post("/api/v1/instances", body).await.expect(201);
        let id = app.running(created["id"].as_i64().unwrap()).await;
        app.activate(id).await.expect(200);
    }
    let views = |counts: Vec<(&'static str, usize)>| counts.into_iter().take(10).collect::<Vec<_>>();
    let expected = [
        ("list_instances", 2),
        ("list_instances by health", 3),
        ("read_instance", 4),
        ("read_instance: migrations", 3),
        ("read_instance: copy", 1),
        ("list_app_servers", 1),
        ("read_app_server", 7),
        ("diff_app_server", 5),
        ("diff_app_server against the instance", 4),
        ("render_instance", 3),
    ];
    assert_eq!(views(counts_of(&app, 1).await), expected);
    assert_eq!(views(counts_of(&app, 2).await), expected);
    app.end().await;
}

#[tokio::test]
async fn the_number_of_queries_of_a_switch_does_not_grow() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let ids = [app.running(instance).await, app.running(instance).await];
    let (mut conn, count) = counting(&app).await;
    let mut taken = Vec::new();
    for id in ids.into_iter().cycle().take(6) {
        count.store(0, Ordering::Relaxed);
        let switched = conn.transaction(async |conn| {
            let row = instances::lock(conn, InstanceId(instance)).await?.unwrap();
            let switch = Switch {
                app_server: AppServerId(id),
                kind: ActivationKind::Manual,
                is_forced: false,
                drain_limit_seconds: None,
                reason: None,
                has_run_hooks: false,
            };
            switch::write(&app.manager, conn, &Actor::User("test".to_owned()), &row, &switch).await
        });
        switched.await.unwrap();
        taken.push(count.load(Ordering::Relaxed));
    }
    // BEGIN, lock, app server, two for host names, preview links, pointer, drains, request, history, checks, lock and health, its
    // change, its row and its event, job, event, one for each of the two log lines, audit, COMMIT.
    assert_eq!(taken, [22; 6]);
    app.end().await;
}
