//! The endpoints for monitoring.

mod metrics;
mod system;

use serde_json::json;

use crate::app::{TestApp, until};

#[tokio::test]
async fn the_program_is_ready_while_a_worker_runs() {
    let app = TestApp::start().await;
    let anonymous = app.anonymous();
    assert_eq!(anonymous.get("/healthz").await.expect(200), json!({ "status": "ok" }));
    until("the worker has shown that it lives", async || anonymous.get("/readyz").await.status == 200).await;
    let ready = json!({ "status": "ok", "database": "ok", "migrations": "ok", "workers": 1, "sandbox": null });
    assert_eq!(anonymous.get("/readyz").await.expect(200), ready);
    app.end().await;
}

#[tokio::test]
async fn the_program_is_not_ready_without_a_live_worker() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    anonymous.get("/healthz").await.expect(200);
    let missing = "No worker takes jobs: start `ocim worker`, or the server again.";
    assert_eq!(anonymous.get("/readyz").await.problem(503)["detail"], missing);
    app.execute("INSERT INTO workers (id, hostname, version, slots) VALUES ('elsewhere', 'other', '0', 1)").await;
    assert_eq!(anonymous.get("/readyz").await.expect(200)["workers"], 1, "one of another process will do");
    for ends in ["seen = now() - interval '16 seconds'", "seen = now(), is_draining = true"] {
        app.execute(&format!("UPDATE workers SET {ends}")).await;
        assert_eq!(anonymous.get("/readyz").await.problem(503)["detail"], missing, "{ends}");
    }
    app.end().await;
}

#[tokio::test]
async fn the_program_is_not_ready_on_a_database_of_another_version() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    app.execute("INSERT INTO workers (id, hostname, version, slots) VALUES ('elsewhere', 'other', '0', 1)").await;
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99990101000000', now())";
    app.execute(newer).await;
    let detail = anonymous.get("/readyz").await.problem(503)["detail"].clone();
    assert_eq!(detail, "The database has 1 migrations that this program does not know: run the newer program.");
    app.execute("DELETE FROM __diesel_schema_migrations WHERE version IN ('99990101000000', '20261125200000')").await;
    let detail = anonymous.get("/readyz").await.problem(503)["detail"].clone();
    assert_eq!(detail, "The database lacks 1 migrations of this program: run `ocim migrate`.");
    app.end().await;
}
