//! No list reads a whole table: with 10,000 instances, 50,000 app servers and their logs, each filter and each order
//! uses an index. Postgres counts its own scans, in the transaction that made them.

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use ocim::instances::settings::read;
use ocim::instances::store::{activations, listing, machines, retention, summaries};
use ocim::platform::db::DbError;
use ocim::platform::{audit, logs};
use ocim::pull_requests;
use ocim::pull_requests::store::due;
use ocim::pull_requests::store::listing::{Place, Query};
use shared_types::audit::Outcome;
use shared_types::instance::InstanceSort as S;
use shared_types::pagination::ByAge;
use shared_types::pull_request::PullRequestState;
use shared_types::queue::Tier;
use shared_types::{
    AppServerId, AppServerStatus, HealthState, InstanceId, LogLevel, MachineRole, PullRequestId, ServerId, ServerStatus,
};

use crate::app::{TestApp, copies, number};

/// The data of a busy installation after years. Users, settings and logs are unrealistic: only their number matters.
const FILL: &[&str] = &[
    "INSERT INTO instances (instance_type, name, domain, settings, tier, archived_at, archived_by, created, modified, next_app_server_number) \
     SELECT 'openedx', 'Campus ' || md5(n::text), 'c' || n || '.example', '{}', \
        CASE WHEN n % 3 = 0 THEN 'preview' ELSE 'production' END, CASE WHEN n % 10 = 0 THEN now() END, CASE WHEN n % 10 = 0 THEN 'x' END, \
        now() - n * interval '1 minute', now() - (n % 1000) * interval '1 minute', 6 FROM generate_series(1, 10000) AS n",
    "INSERT INTO servers (name, provider, status) SELECT 's' || n, CASE WHEN n % 9999 = 0 THEN 'local' ELSE 'fake' END, \
        CASE WHEN n % 100 = 0 THEN 'booting' ELSE 'terminated' END FROM generate_series(1, 50000) AS n",
    "INSERT INTO app_servers (instance_id, server_id, number, name, settings, variables, playbooks, variable_references, \
        requested_by, status, trigger, attempt, num_attempts) \
     SELECT (n - 1) / 5 + 1, n, (n - 1) % 5 + 1, 'AppServer', '{}', '{}', '[]', '[]', 'x', \
        CASE WHEN n % 100 = 0 THEN 'waiting' WHEN n % 7 = 0 THEN 'failed' ELSE 'terminated' END, 'user', 1, 1 \
     FROM generate_series(1, 50000) AS n",
    "INSERT INTO instance_health (instance_id, app_server_id, state, failing_since, checked_at) \
     SELECT id, (id - 1) * 5 + 1, CASE WHEN id % 501 = 0 THEN 'down' WHEN id % 401 = 0 THEN 'degraded' ELSE 'ok' END, \
        CASE WHEN id % 501 = 0 OR id % 401 = 0 THEN now() END, now() FROM instances WHERE id % 10 <> 0 AND id % 7 <> 0",
    "INSERT INTO builds (app_server_id, begun_at) SELECT id, now() FROM app_servers ON CONFLICT DO NOTHING",
    "INSERT INTO log_counters (app_server_id, last_seq) SELECT id, 4 FROM app_servers \
     ON CONFLICT (app_server_id) DO UPDATE SET last_seq = 4",
    "INSERT INTO log_entries (level, text, instance_id, app_server_id, seq) \
     SELECT CASE WHEN a.id % 50 = 0 THEN 'ERROR' ELSE 'INFO' END, 'line ' || n, a.instance_id, a.id, n \
     FROM app_servers AS a, generate_series(1, 4) AS n",
    "INSERT INTO audit_log (actor, action, instance_id, app_server_id, outcome, at) \
     SELECT 'u' || n % 100, 'a' || n % 40, n, n, CASE WHEN n % 100 = 0 THEN 'refused' ELSE 'done' END, \
        now() - n * interval '1 minute' FROM generate_series(1, 10000) AS n",
    copies::PULL_REQUESTS[0],
    copies::PULL_REQUESTS[1],
    "UPDATE pull_requests SET trouble = 'x' WHERE id % 500 = 0",
    "UPDATE pull_requests SET state = 'closed', closed_at = now(), archive_at = now() WHERE id % 400 = 0",
    "ANALYZE",
];

/// Sequential scans of large tables in this transaction.
const SCANS: &str = "SELECT coalesce(sum(seq_scan), 0)::bigint AS n FROM pg_stat_xact_user_tables \
    WHERE relname IN ('instances', 'instance_health', 'app_servers', 'servers', 'builds', 'log_entries', 'audit_log', 'pull_requests')";

/// Runs a view and records whether it scanned a whole table.
async fn check(
    conn: &mut AsyncPgConnection,
    wrong: &mut Vec<String>,
    what: String,
    view: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<usize, DbError>,
) {
    conn.batch_execute("BEGIN").await.unwrap();
    let before = number(conn, SCANS).await;
    let rows = view(conn).await.unwrap();
    let scans = number(conn, SCANS).await - before;
    conn.batch_execute("COMMIT").await.unwrap();
    assert!(rows > 0, "{what} found nothing, which proves nothing");
    if scans > 0 {
        wrong.push(format!("{what}: {scans}"));
    }
}

#[tokio::test]
async fn no_list_reads_a_whole_table() {
    let app = TestApp::idle().await;
    for statement in FILL {
        app.execute(statement).await;
    }
    let mut conn = app.conn().await;
    let conn: &mut AsyncPgConnection = &mut conn;
    let mut wrong = Vec::new();
    let sorts = [
        S::Name,
        S::NameBackwards,
        S::Domain,
        S::DomainBackwards,
        S::Created,
        S::Newest,
        S::Modified,
        S::LastModified,
        S::Health,
        S::HealthBackwards,
    ];
    app.execute("UPDATE health_watch SET fresh_until = now() + interval '1 hour'").await;
    for sort in sorts {
        let first = listing::Query { sort, limit: 51, ..Default::default() };
        let items = read::instance_page(conn, &first).await.unwrap();
        let after = Some(listing::Place::of(items.last().unwrap(), sort));
        for query in [
            first.clone(),
            listing::Query { after, ..first.clone() },
            listing::Query { is_archived: true, ..first.clone() },
            listing::Query { text: Some("campus c4".into()), ..first.clone() },
            listing::Query { text: Some("c77".into()), ..first.clone() },
            listing::Query { ids: Some(vec![InstanceId(7), InstanceId(5_000)]), ..first.clone() },
            listing::Query { tier: Some(Tier::Preview), ..first.clone() },
            listing::Query { instance_type: Some("openedx".into()), has_hold: Some(false), ..first.clone() },
            listing::Query { health: Some(vec![Some(HealthState::Ok)]), ..first.clone() },
            listing::Query { health: Some(vec![None]), ..first.clone() },
        ] {
            let view = async |conn: &mut AsyncPgConnection| Ok(read::instance_page(conn, &query).await?.len());
            check(conn, &mut wrong, format!("instances {query:?}"), view).await;
        }
    }
    let pressing = [HealthState::Down, HealthState::Degraded].map(Some).to_vec();
    let query = listing::Query { health: Some(pressing), sort: S::Health, limit: 51, ..Default::default() };
    let view = async |conn: &mut AsyncPgConnection| Ok(read::instance_page(conn, &query).await?.len());
    check(conn, &mut wrong, "failing instances".into(), view).await;
    app.execute("UPDATE health_watch SET fresh_until = now()").await;
    for sort in [S::Health, S::HealthBackwards] {
        let first = listing::Query { sort, limit: 51, ..Default::default() };
        let items = read::instance_page(conn, &first).await.unwrap();
        let after = Some(listing::Place::of(items.last().unwrap(), sort));
        let unknown = Some(vec![Some(HealthState::Unknown)]);
        for query in
            [first.clone(), listing::Query { after, ..first.clone() }, listing::Query { health: unknown, ..first }]
        {
            let view = async |conn: &mut AsyncPgConnection| Ok(read::instance_page(conn, &query).await?.len());
            check(conn, &mut wrong, format!("instances of unknown health {query:?}"), view).await;
        }
    }
    for sort in [ByAge::Newest, ByAge::Oldest] {
        let first = summaries::Query { sort, limit: 51, ..Default::default() };
        for query in [
            first.clone(),
            summaries::Query { after: Some(AppServerId(25_000)), ..first.clone() },
            summaries::Query { instance: Some(InstanceId(77)), ..first.clone() },
            summaries::Query { status: Some(AppServerStatus::Waiting), ..first.clone() },
            summaries::Query { text: Some("c77 appserver".into()), ..first.clone() },
            summaries::Query { text: Some("campus c4".into()), ..first.clone() },
            summaries::Query { text: Some("appserver".into()), ..first.clone() },
            summaries::Query { is_healthy: Some(false), ..first.clone() },
            summaries::Query { is_healthy: Some(true), ..first.clone() },
        ] {
            let view = async |conn: &mut AsyncPgConnection| Ok(summaries::page(conn, &query).await?.len());
            check(conn, &mut wrong, format!("app servers {query:?}"), view).await;
        }
        let first = machines::Query { sort, limit: 51, ..Default::default() };
        for query in [
            first.clone(),
            machines::Query { after: Some(ServerId(25_000)), ..first.clone() },
            machines::Query { status: Some(ServerStatus::Booting), ..first.clone() },
            machines::Query { instance: Some(InstanceId(77)), ..first.clone() },
            machines::Query { provider: Some("fake".into()), ..first.clone() },
            machines::Query { provider: Some("local".into()), ..first.clone() },
            machines::Query { exists: Some(true), ..first.clone() },
            machines::Query { exists: Some(false), ..first.clone() },
            machines::Query { is_ending: Some(false), ..first.clone() },
            machines::Query { role: Some(MachineRole::Building), ..first.clone() },
            machines::Query { role: Some(MachineRole::Ended), ..first.clone() },
            machines::Query { text: Some("s777".into()), ..first.clone() },
            machines::Query { text: Some("campus c4".into()), ..first.clone() },
            machines::Query { text: Some("campus".into()), exists: Some(true), ..first.clone() },
        ] {
            let view = async |conn: &mut AsyncPgConnection| {
                Ok(machines::page(conn, &app.manager.providers, &query).await?.len())
            };
            check(conn, &mut wrong, format!("machines {query:?}"), view).await;
        }
    }
    let first = logs::Everywhere { limit: 51, ..Default::default() };
    for query in [
        first.clone(),
        logs::Everywhere { instance: Some(InstanceId(77)), ..first.clone() },
        logs::Everywhere { app_server: Some(AppServerId(77)), ..first.clone() },
        logs::Everywhere { levels: Some(LogLevel::and_above(LogLevel::Error)), ..first.clone() },
        logs::Everywhere { text: Some("line 3".into()), ..first.clone() },
    ] {
        let view = async |conn: &mut AsyncPgConnection| Ok(logs::everywhere(conn, &query).await?.len());
        check(conn, &mut wrong, format!("logs {query:?}"), view).await;
    }
    let about = logs::About::AppServer(InstanceId(77), AppServerId(385));
    let query = logs::Query { text: Some("line 3".into()), ..Default::default() };
    let view = async |conn: &mut AsyncPgConnection| Ok(logs::matches(conn, about, &query).await?.places.len());
    check(conn, &mut wrong, "places in a log".into(), view).await;
    let first = pull_requests::store::listing::Query { limit: 51, ..Default::default() };
    for query in [
        first.clone(),
        Query { after: Some(Place::of(PullRequestId(5000), chrono::Utc::now())), ..first.clone() },
        Query { state: Some(PullRequestState::Closed), ..first.clone() },
        Query { needs_approval: Some(true), ..first.clone() },
        Query { needs_approval: Some(false), ..first.clone() },
        Query { text: Some("ada 77".into()), ..first.clone() },
    ] {
        let view =
            async |conn: &mut AsyncPgConnection| Ok(pull_requests::read::page(&app.watch, conn, &query).await?.len());
        check(conn, &mut wrong, format!("pull requests {query:?}"), view).await;
    }
    let view = async |conn: &mut AsyncPgConnection| Ok(due::troubled(conn).await?.len());
    check(conn, &mut wrong, "pull requests with trouble".into(), view).await;
    let view = async |conn: &mut AsyncPgConnection| Ok(due::to_archive(conn).await?.len());
    check(conn, &mut wrong, "pull requests whose instance's time has come".into(), view).await;
    let view = async |conn: &mut AsyncPgConnection| Ok(due::forgotten(conn, chrono::Utc::now()).await?.len());
    check(conn, &mut wrong, "forgotten pull requests".into(), view).await;
    let first = audit::Query { limit: 51, ..Default::default() };
    for query in [
        first.clone(),
        audit::Query { actor: Some("u7".into()), ..first.clone() },
        audit::Query { action: Some("a7".into()), ..first.clone() },
        audit::Query { instance: Some(InstanceId(77)), ..first.clone() },
        audit::Query { app_server: Some(AppServerId(77)), ..first.clone() },
        audit::Query { outcome: Some(Outcome::Refused), ..first.clone() },
        audit::Query { since: Some(chrono::Utc::now() - chrono::Duration::hours(1)), ..first.clone() },
        audit::Query { until: Some(chrono::Utc::now() - chrono::Duration::days(1)), ..first.clone() },
    ] {
        let view = async |conn: &mut AsyncPgConnection| Ok(audit::page(conn, &query).await?.len());
        check(conn, &mut wrong, format!("activity {query:?}"), view).await;
    }
    let about = logs::About::AppServer(InstanceId(77), AppServerId(385));
    let query = logs::Query { limit: 51, ..Default::default() };
    let view = async |conn: &mut AsyncPgConnection| Ok(logs::page(conn, about, &query).await?.len());
    check(conn, &mut wrong, "an app server's log".into(), view).await;
    // These find no rows, and must not scan the tables to learn that.
    for (what, count) in [
        ("activations", activations::page(conn, InstanceId(77), None, 51).await.unwrap().len()),
        ("retention", retention::page(conn, None, 51).await.unwrap().len()),
    ] {
        assert_eq!(count, 0, "{what}");
    }
    assert!(wrong.is_empty(), "read a whole table: {wrong:#?}");
    app.end().await;
}
