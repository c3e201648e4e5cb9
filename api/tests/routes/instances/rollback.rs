use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::{TestApp, stories};

fn path(instance: i64) -> String {
    format!("/api/v1/instances/{instance}/rollback")
}

/// An instance whose second app server is active, with the first as fallback.
async fn two(app: &TestApp) -> (i64, i64, i64) {
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let operator = app.operator().await;
    for id in [first, second] {
        operator.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await;
    }
    (instance, first, second)
}

#[tokio::test]
async fn a_rollback_activates_the_fallback_at_once_and_holds() {
    let app = TestApp::start().await;
    let (instance, first, second) = two(&app).await;
    let operator = app.operator().await;
    let began = Instant::now();
    let answer = operator.post(&path(instance), json!({ "reason": "slow" })).await.expect(200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!((&answer["is_applied"], &answer["app_server"]["id"]), (&json!(true), &json!(first)));
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[0].address));
    let read = app.read_instance(instance).await;
    assert_eq!((&read["has_hold"], &read["hold"]["reason"]), (&json!(true), &json!("slow")));
    assert_eq!(read["fallback_app_server_id"], second);
    let history = operator.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
    let last = &history["items"][0];
    assert_eq!((&last["kind"], &last["replaced_app_server_id"]), (&json!("rollback"), &json!(second)));

    // A second rollback does not go forward again, with or without the app server's id.
    operator.post(&path(instance), json!({})).await.expect(200);
    operator.post(&path(instance), json!({ "app_server_id": first })).await.expect(200);
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], first);
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'roll_back_instance'";
    assert_eq!((app.number(audited).await, app.number("SELECT count(*) AS n FROM activations").await), (1, 3));

    // After the hold is released, the next rollback counts as a new one.
    operator.delete(&format!("/api/v1/instances/{instance}/hold")).await.expect(200);
    operator.post(&path(instance), json!({})).await.expect(200);
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], second);
    app.end().await;
}

#[tokio::test]
async fn a_rollback_does_not_wait_for_the_gateway() {
    let app = TestApp::idle().await;
    let (instance, first, _) = two(&app).await;
    let request = app.operator().await.request(reqwest::Method::POST, &path(instance)).header("prefer", "wait=0");
    let answer = crate::app::Answer::to(request.json(&json!({}))).await.expect(202);
    assert_eq!((&answer["is_applied"], &answer["app_server"]["id"]), (&json!(false), &json!(first)));
    app.end().await;
}

#[tokio::test]
async fn a_rollback_to_the_active_app_server_only_sets_the_hold() {
    let app = TestApp::start().await;
    let (instance, _, second) = two(&app).await;
    let operator = app.operator().await;
    operator.post(&path(instance), json!({ "app_server_id": second })).await.expect(200);
    let read = app.read_instance(instance).await;
    assert_eq!((&read["active_appserver"]["id"], &read["has_hold"]), (&json!(second), &json!(true)));
    assert_eq!(app.number("SELECT count(*) AS n FROM activations").await, 2);
    app.end().await;
}

#[tokio::test]
async fn a_rollback_to_an_unhealthy_app_server_must_be_forced_with_a_reason() {
    let app = TestApp::start().await;
    let (instance, first, second) = two(&app).await;
    let operator = app.operator().await;
    // The site accepts connections and does not answer.
    app.sites[0].set_held(true);
    let began = Instant::now();
    let problem = operator.post(&path(instance), json!({})).await.problem(409);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("unhealthy") && detail.contains("lms: no answer within 2 s"), "{detail}");
    let read = app.read_instance(instance).await;
    assert_eq!((&read["active_appserver"]["id"], &read["has_hold"]), (&json!(second), &json!(false)));

    operator.post(&path(instance), json!({ "force": true, "reason": " " })).await.field_error("/reason");
    operator.post(&path(instance), json!({ "force": true, "reason": "better than nothing" })).await.expect(200);
    assert_eq!(app.read_instance(instance).await["active_appserver"]["id"], first);
    let forced = "SELECT count(*) AS n FROM activations WHERE is_forced AND kind = 'rollback'";
    let audited =
        "SELECT count(*) AS n FROM audit_log WHERE action = 'roll_back_instance' AND detail -> 'is_forced' = 'true'";
    assert_eq!((app.number(forced).await, app.number(audited).await), (1, 1));
    app.sites[0].set_held(false);
    app.end().await;
}

#[tokio::test]
async fn a_rollback_without_a_fallback_is_refused() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    let detail = async |body: Value| operator.post(&path(instance), body).await.problem(409)["detail"].clone();
    let none = "Instance 1 cannot be rolled back. There is no app server to go back to: none was active before, or its \
                machine has been terminated. Activate another one.";
    assert_eq!(detail(json!({})).await, none);
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    let other = app.instance("other").await;
    let stranger = app.running(other).await;
    app.activate(first).await.expect(200);
    assert_eq!(detail(json!({})).await, none);
    stories::activate(&operator, second, json!({})).await.expect(200);
    app.until_serving(first, "fallback").await;
    operator.post(&format!("/api/v1/app-servers/{first}/terminate"), json!({})).await;
    assert_eq!(detail(json!({})).await, none);
    let gone = "Instance 1 cannot be rolled back. Its machine has been terminated.";
    assert_eq!(detail(json!({ "app_server_id": first })).await, gone);

    for id in [stranger, 999] {
        let words = operator.post(&path(instance), json!({ "app_server_id": id })).await.field_error("/app_server_id");
        assert_eq!(words, format!("Instance 1 has no app server {id}."));
    }
    assert_eq!(app.read_instance(instance).await["has_hold"], false);
    app.end().await;
}
