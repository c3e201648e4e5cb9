//! Records are deleted at the end of their retention, and not before.

use ocim::worker::housekeeping;

use crate::app::{Setup, TestApp};

const EVENTS: &str = "SELECT count(*) AS n FROM events";
const AUDIT: &str = "SELECT count(*) AS n FROM audit_log WHERE actor = 'long ago'";
const OLD_AUDIT: &str =
    "INSERT INTO audit_log (at, actor, action) VALUES (now() - interval '400 days', 'long ago', 'x')";

async fn sweep(app: &TestApp) {
    let (one, other) = tokio::join!(housekeeping::sweep(&app.manager), housekeeping::sweep(&app.manager));
    one.unwrap();
    other.unwrap();
}

#[tokio::test]
async fn old_events_and_instance_logs_are_deleted_and_the_audit_log_is_kept() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.execute(OLD_AUDIT).await;
    app.execute("UPDATE events SET created = created - interval '6 days'").await;
    sweep(&app).await;
    let before = app.number(EVENTS).await;
    assert!(before > 0, "six days are not over");
    app.execute("UPDATE events SET created = created - interval '2 days'").await;
    app.execute("UPDATE log_entries SET created = created - interval '91 days'").await;
    app.launched(instance).await;
    sweep(&app).await;
    let lines = app.viewer().await.get(&format!("/api/v1/instances/{instance}/logs")).await.expect(200);
    assert_eq!(lines["items"].as_array().unwrap().len(), 1, "only the launch: {lines:#}");
    let old = "SELECT count(*) AS n FROM events WHERE created < now() - interval '7 days'";
    assert_eq!(app.number(old).await, 0);
    assert!(app.number(EVENTS).await > 0);
    assert_eq!(app.number(AUDIT).await, 1);
    app.end().await;
}

#[tokio::test]
async fn audit_entries_are_deleted_after_the_configured_retention() {
    let app =
        TestApp::with(Setup { works: false, options: |options| options.kept.audit_days = 365, ..Setup::default() })
            .await;
    app.instance("demo").await;
    let entries = app.number("SELECT count(*) AS n FROM audit_log").await;
    app.execute(OLD_AUDIT).await;
    sweep(&app).await;
    assert_eq!(app.number(AUDIT).await, 0);
    assert_eq!(app.number("SELECT count(*) AS n FROM audit_log").await, entries);
    let mut conn = app.conn().await;
    let refused = diesel_async::RunQueryDsl::execute(diesel::sql_query("DELETE FROM audit_log"), &mut conn).await;
    assert!(refused.unwrap_err().to_string().contains("only grows"));
    app.end().await;
}

#[tokio::test]
async fn logs_are_deleted_whole_and_later_for_failed_app_servers() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let plain = app.running(instance).await;
    app.ansible.next_run_fails("role : task", "no");
    let failed = app.built(instance).await["id"].as_i64().unwrap();
    let alive = app.running(instance).await;
    let over = |days: u32| {
        format!(
            "UPDATE servers SET status = 'terminated', modified = now() - interval '{days} days' WHERE id IN \
             (SELECT server_id FROM app_servers WHERE id IN ({plain}, {failed}))"
        )
    };
    app.execute(&format!("UPDATE app_servers SET status = 'terminated' WHERE id = {plain}")).await;
    app.execute("UPDATE app_servers SET modified = now() - interval '400 days'").await;
    app.execute(&over(89)).await;
    sweep(&app).await;
    assert!(!app.log(plain).await.is_empty(), "89 days are not over");
    app.execute(&over(100)).await;
    sweep(&app).await;
    let viewer = app.viewer().await;
    let path = format!("/api/v1/app-servers/{plain}/logs");
    let gone = viewer.get(&path).await;
    assert_eq!(gone.expect(200)["items"], serde_json::json!([]));
    assert!(!gone.header("ocim-log-removed").is_empty());
    assert!(viewer.get(&format!("{path}?format=text")).await.body.starts_with("The lines of this log were removed on"));
    assert!(!app.log(failed).await.is_empty(), "it failed");
    assert!(!app.log(alive).await.is_empty(), "it has a machine");
    app.execute(&over(366)).await;
    sweep(&app).await;
    assert!(app.log(failed).await.is_empty());
    app.end().await;
}

#[tokio::test]
async fn old_orphans_workers_and_login_failures_are_deleted() {
    let app = TestApp::idle().await;
    for statement in [
        "INSERT INTO orphans (kind, provider, provider_id, server_id, last_seen) VALUES \
         ('unowned', 'other', 'x', 1, now() - interval '2 days'), ('unowned', 'other', 'y', 2, now())",
        "INSERT INTO workers (id, hostname, version, slots, seen) VALUES \
         ('a/1/1', 'a', '1', 1, now() - interval '2 hours'), ('b/1/1', 'b', '1', 1, now())",
        "INSERT INTO login_failures (username, at) VALUES ('x', now() - interval '2 days'), ('x', now())",
    ] {
        app.execute(statement).await;
    }
    sweep(&app).await;
    for table in ["orphans", "workers", "login_failures"] {
        assert_eq!(app.number(&format!("SELECT count(*) AS n FROM {table}")).await, 1, "{table}");
    }
    app.end().await;
}
