use serde_json::json;

use crate::app::{TestApp, stories};

fn path(id: i64) -> String {
    format!("/api/v1/app-servers/{id}/activate")
}

#[tokio::test]
async fn it_is_decided_at_once_and_the_gateway_follows() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let operator = app.operator().await;
    let answer = operator.post(&path(id), json!({ "reason": "first" })).await.expect(202);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["serving"]), (&json!(false), &json!("active")));
    assert_eq!(app.sites[0].asked().last().unwrap(), "studio.demo.localhost/heartbeat");
    let audited =
        "SELECT count(*) AS n FROM audit_log WHERE action = 'activate_app_server' AND detail ->> 'reason' = 'first'";
    assert_eq!(app.number(audited).await, 1);
    app.end().await;
}

#[tokio::test]
async fn again_is_success_and_changes_nothing() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    // What is active already is not asked again whether it works.
    app.sites[0].set_healthy(false);
    app.activate(id).await.expect(200);
    assert_eq!(app.number("SELECT count(*) AS n FROM activations").await, 1);
    app.end().await;
}

#[tokio::test]
async fn one_that_is_being_built_or_failed_is_refused() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    app.ansible.next_run_fails("lms : migrate", "no such table");
    let failed = app.built(instance).await["id"].as_i64().unwrap();
    let new = app.launched(instance).await;
    let detail =
        async |id| operator.post(&path(id), json!({})).await.problem(409)["detail"].as_str().unwrap().to_owned();
    assert_eq!(detail(new).await, "App server 2 is new. It is still being built; it must be running to be activated.");
    assert_eq!(detail(failed).await, "App server 1 is failed. Cannot make an unhealthy app server active.");
    assert_eq!(app.number("SELECT count(*) AS n FROM instances WHERE active_app_server_id IS NOT NULL").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_unhealthy_one_is_refused_and_the_traffic_stays() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    app.activate(first).await.expect(200);
    app.sites[1].set_healthy(false);
    let problem = app.activate(second).await.problem(409);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("Cannot make an unhealthy app server active. Its checks failed: lms: 503"), "{detail}");
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], first);
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address));
    app.sites[1].set_healthy(true);
    app.activate(second).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn it_is_refused_where_something_else_is_active_than_the_caller_saw() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    let expecting = async |id, expected| stories::activate(&operator, id, json!({ "expected_active": expected })).await;
    expecting(first, json!(second)).await.problem(409);
    expecting(first, json!(null)).await.expect(200);
    let problem = expecting(second, json!(null)).await.problem(409);
    assert_eq!(problem["detail"], "app server 1 is active by now, not none; look again before you activate another.");
    expecting(second, json!(first)).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn fields_of_the_wrong_kind_are_named() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    operator.post(&path(1), json!({ "expected_active": "first" })).await.field_error("/expected_active");
    operator.post(&path(1), json!({ "reason": "x".repeat(501) })).await.field_error("/reason");
    app.end().await;
}
