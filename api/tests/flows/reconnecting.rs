//! All connections of the database break at once.

use serde_json::json;

use crate::app::{TestApp, until};

#[tokio::test]
async fn broken_database_connections_give_503_and_builds_go_on() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let viewer = app.viewer().await;
    app.provider.set_answers_ssh(false);
    let id = app.launched(instance).await;
    until("the build waits", async || app.read_app_server(id).await["progress"]["step"] == "server").await;
    let mut own = app.db.dedicated().await.unwrap();
    for _ in 0..3 {
        let broken = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        diesel_async::RunQueryDsl::execute(diesel::sql_query(broken), &mut own).await.unwrap();
        for _ in 0..10 {
            let answer = viewer.get("/api/v1/instances").await;
            match answer.status.as_u16() {
                200 => {}
                503 => assert_eq!(answer.problem(503)["type"], json!("/docs/problems#unavailable")),
                other => panic!("{other}: {}", answer.body),
            }
        }
    }
    drop(own);
    app.provider.set_answers_ssh(true);
    let built = "SELECT count(*) AS n FROM app_servers WHERE status = 'running'";
    until("the app server runs", async || app.number(built).await == 1).await;
    let held = "SELECT count(*) AS n FROM builds WHERE lease_holder IS NOT NULL";
    until("its lease is given back", async || app.number(held).await == 0).await;
    // Jobs that were locked over a broken connection stay locked until the queue's own timeout; each kind of job also
    // has another caller meanwhile.
    app.execute("DELETE FROM graphile_worker._private_jobs").await;
    app.end().await;
}
