//! Launches with several attempts: each is a new app server, and permanent failures are not retried.

use ocim::ansible::port::AnsibleError;
use ocim::git::port::GitError;
use ocim::machines::provider::ProviderError;
use ocim::machines::providers::fake::FakeCreate;
use serde_json::{Value, json};

use crate::app::{TestApp, until};

async fn launch(app: &TestApp, instance: i64, body: Value) -> i64 {
    let path = format!("/api/v1/instances/{instance}/app-servers");
    app.operator().await.post(&path, body).await.expect(202)["id"].as_i64().unwrap()
}

async fn count(app: &TestApp) -> i64 {
    app.number("SELECT count(*) AS n FROM app_servers").await
}

#[tokio::test]
async fn a_failed_build_is_tried_again_on_a_new_app_server_with_the_settings_of_that_moment() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate", "lock wait timeout");
    app.provider.set_answers_ssh(false);
    let first = launch(&app, instance, json!({ "num_attempts": 2, "reason": "teak" })).await;
    let read = app.read_instance(instance).await;
    let path = format!("/api/v1/instances/{instance}");
    let changed = json!({ "openedx_release": "teak" });
    app.operator().await.patch(&path, read["etag"].as_str().unwrap(), changed).await.expect(200);
    app.provider.set_answers_ssh(true);
    assert_eq!(app.until_built(first).await["status"], "failed");
    let second = app.until_built(first + 1).await;
    assert_eq!(second["status"], "running");
    assert_eq!((&second["trigger"], &second["retry_of"]), (&json!("retry"), &json!(first)));
    assert_eq!((&second["attempt"], &second["num_attempts"]), (&json!(2), &json!(2)));
    assert_eq!((&second["reason"], &second["name"]), (&json!("teak"), &json!("AppServer 2")));
    assert_eq!(second["configuration"]["openedx_release"], "teak");
    assert_eq!(app.read_app_server(first).await["configuration"]["openedx_release"], "master");
    assert!(app.log_says(first, "Attempt 2 of 2 is app server 2").await);
    app.end().await;
}

#[tokio::test]
async fn a_launch_makes_no_more_than_the_requested_attempts() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    for _ in 0..5 {
        app.ansible.next_run_fails("lms : migrate", "lock wait timeout");
    }
    launch(&app, instance, json!({ "num_attempts": 3 })).await;
    for id in 1..=3 {
        until("the next attempt exists", async || count(&app).await >= id).await;
        assert_eq!(app.until_built(id).await["status"], "failed");
    }
    assert_eq!(count(&app).await, 3);
    app.end().await;
}

#[tokio::test]
async fn permanent_failures_are_not_retried() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let permanent = || GitError::Permanent("There is no branch or tag «nonsense»".to_owned());
    app.git.next_resolve(Err(permanent()));
    let no_branch = launch(&app, instance, json!({ "num_attempts": 3 })).await;
    assert_eq!(app.until_built(no_branch).await["status"], "error");
    app.ansible.next_prepare_fails(AnsibleError::Permanent("The playbook cannot be read".to_owned()));
    let no_playbook = launch(&app, instance, json!({ "num_attempts": 3 })).await;
    assert_eq!(app.until_built(no_playbook).await["status"], "error");
    app.provider.next_create(FakeCreate::Refused(ProviderError::Permanent("Quota exceeded".to_owned())));
    let no_machine = launch(&app, instance, json!({ "num_attempts": 3 })).await;
    assert_eq!(app.until_built(no_machine).await["status"], "error");
    assert_eq!(count(&app).await, 3);
    app.provider.next_create(FakeCreate::Failed("No valid host was found".to_owned()));
    let broken_machine = launch(&app, instance, json!({ "num_attempts": 2 })).await;
    assert_eq!(app.until_built(broken_machine).await["status"], "error");
    assert_eq!(app.until_built(broken_machine + 1).await["status"], "running", "another machine may do");
    app.end().await;
}

#[tokio::test]
async fn a_stopped_build_is_not_tried_again() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.provider.set_answers_ssh(false);
    let id = launch(&app, instance, json!({ "num_attempts": 3 })).await;
    until("the build waits", async || app.read_app_server(id).await["progress"]["step"] == "server").await;
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await;
    assert_eq!(app.until_built(id).await["status"], "stopped");
    assert_eq!(count(&app).await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_successful_retry_is_activated_if_requested() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate", "lock wait timeout");
    launch(&app, instance, json!({ "num_attempts": 2, "activate_when_running": true })).await;
    until("the second is active", async || app.read_instance(instance).await["active_appserver"]["id"] == 2).await;
    until("the request is cleared", async || app.read_app_server(2).await["activate_when_running"] == false).await;
    app.end().await;
}

#[tokio::test]
async fn the_number_of_attempts_is_limited() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let path = format!("/api/v1/instances/{instance}/app-servers");
    let operator = app.operator().await;
    for wrong in [0, 11, -1] {
        operator.post(&path, json!({ "num_attempts": wrong })).await.field_error("/num_attempts");
    }
    assert_eq!(count(&app).await, 0);
    app.end().await;
}
