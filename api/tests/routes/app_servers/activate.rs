use serde_json::json;

use crate::app::{TestApp, stories};

fn path(id: i64) -> String {
    format!("/api/v1/app-servers/{id}/activate")
}

#[tokio::test]
async fn an_activation_is_recorded_at_once_and_the_gateway_follows() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let operator = app.operator().await;
    let answer = operator.post(&path(id), json!({ "reason": "first" })).await.expect(202);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["serving"]), (&json!(false), &json!("active")));
    assert_eq!(app.sites[0].asked().last().unwrap(), "studio.demo.localhost/heartbeat");
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'activate_app_server' AND reason = 'first'";
    assert_eq!(app.number(audited).await, 1);
    app.end().await;
}

#[tokio::test]
async fn activating_the_active_app_server_changes_nothing() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    // The active app server is not checked again.
    app.sites[0].set_healthy(false);
    app.activate(id).await.expect(200);
    assert_eq!(app.number("SELECT count(*) AS n FROM activations").await, 1);
    app.end().await;
}

#[tokio::test]
async fn activate_refuses_an_app_server_that_is_being_built_or_failed() {
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
async fn activate_refuses_an_unhealthy_app_server() {
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
async fn activate_refuses_an_outdated_expected_active() {
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
async fn activate_names_fields_of_the_wrong_type() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    operator.post(&path(1), json!({ "expected_active": "first" })).await.field_error("/expected_active");
    operator.post(&path(1), json!({ "reason": "x".repeat(501) })).await.field_error("/reason");
    app.end().await;
}

#[tokio::test]
async fn forced_activation_skips_the_checks_needs_a_reason_and_is_audited() {
    // Without a worker, and with it the watch, which checks what is active now.
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    app.sites[0].set_healthy(false);
    let asked = app.sites[0].asked().len();
    let operator = app.operator().await;
    let words = operator.post(&path(id), json!({ "force": true })).await.field_error("/reason");
    assert_eq!(words, "Skipping the checks needs a reason.");
    operator.post(&path(id), json!({ "force": true, "reason": "it must" })).await.expect(202);
    assert_eq!(app.sites[0].asked().len(), asked, "its checks were skipped");
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'activate_app_server' \
                   AND detail -> 'is_forced' = 'true' AND reason = 'it must'";
    assert_eq!(app.number(audited).await, 1);
    assert!(app.log_says(id, "(unchecked): it must").await);
    let history = operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    assert_eq!(history["items"][0]["is_forced"], true);
    app.end().await;
}

#[tokio::test]
async fn when_running_activates_a_running_app_server_now_and_refuses_a_failed_one() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    app.ansible.next_run_fails("lms : migrate", "no such table");
    let failed = app.built(instance).await["id"].as_i64().unwrap();
    let id = app.running(instance).await;
    let problem = operator.post(&path(failed), json!({ "when_running": true })).await.problem(409);
    assert_eq!(problem["detail"], "App server 1 is failed. Cannot make an unhealthy app server active.");
    stories::activate(&operator, id, json!({ "when_running": true })).await.expect(200);
    let history = operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    assert_eq!(history["items"][0]["kind"], "manual");
    app.end().await;
}

#[tokio::test]
async fn when_running_refuses_force_an_outdated_expected_active_and_a_stopped_build() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (first, id) = (app.launched(instance).await, app.launched(instance).await);
    let operator = app.operator().await;
    let forced = json!({ "when_running": true, "force": true, "reason": "x" });
    operator.post(&path(id), forced).await.field_error("/force");
    let expecting = json!({ "when_running": true, "expected_active": first });
    let problem = operator.post(&path(id), expecting).await.problem(409);
    assert_eq!(problem["detail"], "none is active by now, not app server 1; look again before you activate another.");
    operator.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
    let detail = operator.post(&path(id), json!({ "when_running": true })).await.problem(409)["detail"].clone();
    assert!(detail.as_str().unwrap().starts_with("App server 2 is being stopped by operator-"), "{detail}");
    for limit in [-1, 3601] {
        let words = operator.post(&path(id), json!({ "drain_limit_seconds": limit })).await;
        assert_eq!(words.field_error("/drain_limit_seconds"), "Must be 0 to 3600 seconds.");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM builds WHERE activate_when_running").await, 0);
    app.end().await;
}

#[tokio::test]
async fn activate_refuses_an_archived_instance() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let operator = app.operator().await;
    operator.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    let words = "The instance is archived; restore it to give its traffic to an app server.";
    for body in [json!({}), json!({ "when_running": true }), json!({ "force": true, "reason": "x" })] {
        assert_eq!(operator.post(&path(id), body).await.problem(409)["detail"], words);
    }
    let rollback = format!("/api/v1/instances/{instance}/rollback");
    assert_eq!(operator.post(&rollback, json!({})).await.problem(409)["detail"], words);
    app.end().await;
}
