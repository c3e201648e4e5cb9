use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp};

const PATH: &str = "/api/v1/instances/1/app-servers";

#[tokio::test]
async fn a_launch_is_visible_at_once_and_its_build_is_queued() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let answer = operator.post(PATH, json!({ "reason": " upgrade " })).await;
    let launched = answer.expect(202);
    assert_eq!(answer.header("location"), "/api/v1/app-servers/1");
    assert_eq!((&launched["status"], &launched["serving"]), (&json!("new"), &json!("idle")));
    assert_eq!((&launched["name"], &launched["reason"]), (&json!("AppServer 1"), &json!("upgrade")));
    assert_eq!(launched["server"]["status"], "pending");
    assert_eq!(operator.get(PATH).await.expect(200)["items"][0]["id"], launched["id"]);
    let queued = "SELECT count(*) AS n FROM graphile_worker.jobs WHERE task_identifier = 'AdvanceAppServer'";
    assert_eq!(app.number(queued).await, 1);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'launch_app_server' AND app_server_id = 1";
    assert_eq!(app.number(audited).await, 1);
    assert_eq!(app.provider.calls().create, 0, "nothing outside was asked");
    assert!(app.log_says(1, "AppServer 1 launched by operator-").await);
    app.end().await;
}

#[tokio::test]
async fn a_launch_needs_no_body() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    Answer::to(app.operator().await.request(Method::POST, PATH)).await.expect(202);
    app.end().await;
}

#[tokio::test]
async fn prefer_wait_answers_when_the_build_has_ended() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    let request = app.operator().await.request(Method::POST, PATH).header("prefer", "respond-async, wait=30");
    let built = Answer::to(request.json(&json!({}))).await.expect(200);
    assert_eq!(built["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn prefer_wait_answers_with_the_progress_after_its_time() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let request = app.operator().await.request(Method::POST, PATH).header("prefer", "wait=0");
    assert_eq!(Answer::to(request.json(&json!({}))).await.expect(202)["status"], "new");
    app.end().await;
}

#[tokio::test]
async fn the_length_of_a_launch_reason_is_limited() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    operator.post(PATH, json!({ "reason": "x".repeat(501) })).await.field_error("/reason");
    operator.post(PATH, json!({ "reason": "é".repeat(500) })).await.expect(202);
    app.end().await;
}

#[tokio::test]
async fn a_launch_is_refused_with_unusable_settings() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let body = json!({ "name": "x", "sub_domain": "x", "use_ephemeral_databases": false });
    operator.post("/api/v1/instances", body).await.expect(201);
    let problem = operator.post(PATH, json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("database"), "{problem}");
    assert_eq!(app.number("SELECT count(*) AS n FROM app_servers").await, 0);
    assert_eq!(app.number("SELECT count(*) AS n FROM servers").await, 0);
    app.end().await;
}

#[tokio::test]
async fn numbers_of_one_instance_do_not_repeat_when_many_launch_at_once() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let mut names: Vec<String> = Vec::new();
    let launches = (0..5).map(|_| app.launched(instance));
    for id in futures::future::join_all(launches).await {
        names.push(app.read_app_server(id).await["name"].as_str().unwrap().to_owned());
    }
    names.sort_unstable();
    assert_eq!(names, ["AppServer 1", "AppServer 2", "AppServer 3", "AppServer 4", "AppServer 5"]);
    app.end().await;
}
