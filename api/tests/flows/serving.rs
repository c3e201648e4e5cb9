//! The main flow: launch, activate, launch another, activate it, roll back.

use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn the_old_app_server_serves_until_the_switch_and_after_a_rollback() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    let target = |site: usize| Some(app.sites[site].address);
    assert_eq!(app.traffic.table()["demo.localhost"], target(0));

    let second = app.running(instance).await;
    assert_eq!(app.traffic.table()["demo.localhost"], target(0), "nothing is activated by itself");
    let answer = app.activate(second).await.expect(200);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["serving"]), (&json!(true), &json!("active")));
    assert_eq!(app.traffic.table()["demo.localhost"], target(1));
    assert_eq!(app.traffic.table()["studio.demo.localhost"], target(1));
    app.until_serving(first, "fallback").await;
    assert_eq!(app.read_app_server(first).await["status"], "running");

    app.activate(first).await.expect(200);
    assert_eq!(app.traffic.table()["demo.localhost"], target(0));
    assert_eq!(app.read_instance(instance).await["fallback_app_server_id"], second);
    app.end().await;
}
