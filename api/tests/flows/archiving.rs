//! Instances that are archived, restored and purged; app servers that are terminated.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp, until};

async fn terminate(app: &TestApp, id: i64, body: Value) -> Answer {
    let request = app.operator().await.request(Method::POST, &format!("/api/v1/app-servers/{id}/terminate"));
    Answer::to(request.header("prefer", "wait=20").json(&body)).await
}

fn path(instance: i64) -> String {
    format!("/api/v1/instances/{instance}")
}

fn detail(answer: &Answer) -> String {
    answer.problem(409)["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn terminate_verifies_that_the_machine_is_gone() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.provider.be_away_at_terminate(2);
    let gone = terminate(&app, id, json!({ "reason": "too old" })).await.expect(200);
    assert_eq!((&gone["status"], &gone["server"]["status"]), (&json!("terminated"), &json!("terminated")));
    assert_eq!(app.provider.machines().len(), 0);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'terminate_app_server' AND reason = 'too old'";
    assert_eq!(app.number(audited).await, 1);
    terminate(&app, id, json!({})).await.expect(200);
    assert_eq!(app.number(audited).await, 1, "again is success and changes nothing");
    app.end().await;
}

#[tokio::test]
async fn terminate_keeps_the_status_of_a_failed_app_server() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate", "no such table");
    let failed = app.built(instance).await["id"].as_i64().unwrap();
    assert_eq!(app.provider.machines().len(), 1);
    let gone = terminate(&app, failed, json!({})).await.expect(200);
    assert_eq!((&gone["status"], &gone["server"]["status"]), (&json!("failed"), &json!("terminated")));
    assert_eq!(app.provider.machines().len(), 0);
    app.end().await;
}

#[tokio::test]
async fn terminate_refuses_the_active_app_server_and_one_being_built() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let active = app.running(instance).await;
    app.activate(active).await.expect(200);
    assert_eq!(
        detail(&terminate(&app, active, json!({})).await),
        "App server 1 is active and running. It is active; activate another one first, or archive the instance."
    );
    app.provider.set_answers_ssh(false);
    let building = app.launched(instance).await;
    until("the build waits", async || app.read_app_server(building).await["status"] == "waiting").await;
    assert_eq!(
        detail(&terminate(&app, building, json!({})).await),
        "App server 2 is waiting. It is still being built; stop the build."
    );
    let stopped = terminate(&app, building, json!({ "stop": true })).await.expect(200);
    assert_eq!(stopped["status"], "stopped");
    assert_eq!(app.provider.machines().len(), 1);
    app.end().await;
}

#[tokio::test]
async fn an_app_server_to_be_terminated_is_never_activated() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    // No worker runs, so the machine still exists and is healthy.
    assert_eq!(terminate_now(&app, id).await["server"]["status"], "ready");
    assert!(detail(&app.activate(id).await).contains("terminated"));
    assert_eq!(app.read_instance(instance).await["active_appserver"], Value::Null);
    app.end().await;
}

async fn terminate_now(app: &TestApp, id: i64) -> Value {
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/terminate"), json!({})).await.expect(202)
}

#[tokio::test]
async fn an_instance_with_machines_is_archived_only_with_terminate() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    let operator = app.operator().await;
    let refused = operator.delete(&path(instance)).await;
    assert_eq!(
        detail(&refused),
        "Instance 1 has machines (AppServer 1); terminate them first, or archive it with ?terminate=true."
    );
    let archived = operator.delete(&format!("{}?terminate=true", path(instance))).await.expect(200);
    assert!(archived["archived_at"].is_string());
    assert_eq!(archived["active_appserver"], Value::Null);
    until("the machine is gone", async || app.provider.machines().is_empty()).await;
    until("the route is gone", async || app.traffic.table().get("demo.localhost").is_none_or(Option::is_none)).await;
    assert_eq!(app.read_app_server(id).await["status"], "terminated");
    operator.delete(&path(instance)).await.expect(200);
    let listed =
        async |query: &str| operator.get(&format!("/api/v1/instances{query}")).await.expect(200)["items"].clone();
    assert_eq!(listed("").await, json!([]));
    assert_eq!(listed("?archived=true").await[0]["id"], instance);
    app.end().await;
}

#[tokio::test]
async fn archiving_is_refused_during_a_build() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    let refused = app.operator().await.delete(&format!("{}?terminate=true", path(instance))).await;
    assert_eq!(
        detail(&refused),
        "App server 1 of instance 1 is new; stop its build, or wait for its end, to archive the instance."
    );
    app.end().await;
}

#[tokio::test]
async fn an_archived_instance_refuses_changes_until_it_is_restored() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    let etag = operator.delete(&path(instance)).await.expect(200)["etag"].as_str().unwrap().to_owned();
    let launch = format!("{}/app-servers", path(instance));
    assert_eq!(
        detail(&operator.post(&launch, json!({})).await),
        "Instance 1 is archived; restore it to launch app servers."
    );
    detail(&operator.patch(&path(instance), &etag, json!({ "name": "Other" })).await);
    let restored = operator.post(&format!("{}/restore", path(instance)), json!({})).await.expect(200);
    assert_eq!(restored["archived_at"], Value::Null);
    operator.post(&format!("{}/restore", path(instance)), json!({})).await.expect(200);
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address));
    app.end().await;
}

#[tokio::test]
async fn purge_deletes_host_names_of_an_archived_instance_after_confirmation() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let (operator, admin) = (app.operator().await, app.person(shared_types::Role::Admin).await);
    let purge = format!("{}/purge", path(instance));
    operator.post(&purge, json!({ "confirm": "demo.localhost" })).await.problem(403);
    assert_eq!(
        detail(&admin.post(&purge, json!({ "confirm": "demo.localhost" })).await),
        "Instance 1 is in use; archive it before its data is deleted."
    );
    operator.delete(&path(instance)).await.expect(200);
    admin.post(&purge, json!({ "confirm": "demo" })).await.field_error("/confirm");
    let deleted = admin.post(&purge, json!({ "confirm": "demo.localhost" })).await.expect(200);
    let names = ["the host name demo.localhost", "the host name studio.demo.localhost"];
    assert_eq!(deleted["deleted"], json!(names));
    assert_eq!(admin.post(&purge, json!({ "confirm": "demo.localhost" })).await.expect(200)["deleted"], json!([]));
    // The name is free now; while another instance has it, the old one cannot be restored.
    app.instance("demo").await;
    assert_eq!(
        detail(&operator.post(&format!("{}/restore", path(instance)), json!({})).await),
        "Another instance answers at demo.localhost by now; change that one's domain to restore this one."
    );
    app.end().await;
}
