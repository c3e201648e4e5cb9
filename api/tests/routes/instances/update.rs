use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp};

const PATH: &str = "/api/v1/instances/1";

#[tokio::test]
async fn an_update_changes_only_the_given_fields() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let before = operator.get(PATH).await.expect(200);
    let body = json!({ "name": "New name", "email": "new@example.com" });
    let answer = operator.patch(PATH, before["etag"].as_str().unwrap(), body).await;
    let after = answer.expect(200);
    assert_eq!((answer.header("etag"), &after["etag"]), ("\"2\"", &json!("\"2\"")));
    let mut expected = before.clone();
    for name in ["name", "email", "etag", "modified"] {
        expected[name] = after[name].clone();
    }
    assert_eq!(after, expected);
    assert_eq!((&after["name"], &after["email"]), (&json!("New name"), &json!("new@example.com")));
    let audited = "SELECT before::text || ' ' || after::text AS text FROM audit_log WHERE action = 'update_instance'";
    assert_eq!(
        app.text(audited).await,
        r#"{"name": "Instance demo", "email": "contact@example.com"} {"name": "New name", "email": "new@example.com"}"#
    );
    let from = "SELECT count(*) AS n FROM audit_log WHERE action = 'update_instance' AND user_id IS NOT NULL \
        AND token_id IS NOT NULL AND address = '127.0.0.1' AND char_length(request_id) = 16 AND outcome = 'done'";
    assert_eq!(app.number(from).await, 1);
    app.end().await;
}

#[tokio::test]
async fn a_blank_field_is_set_to_the_default() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    operator.patch(PATH, "\"1\"", json!({ "email": "new@example.com" })).await.expect(200);
    let after = operator.patch(PATH, "\"2\"", json!({ "email": " " })).await.expect(200);
    assert_eq!(after["email"], "contact@example.com");
    app.end().await;
}

#[tokio::test]
async fn an_update_without_changes_sends_no_event() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let before = operator.get(PATH).await.expect(200);
    let after = operator.patch(PATH, "\"1\"", json!({ "name": "Instance demo" })).await.expect(200);
    assert_eq!(after, before);
    assert_eq!(app.number("SELECT count(*) AS n FROM events WHERE kind = 'InstanceUpdated'").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_update_of_an_older_version_is_refused() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let body = json!({ "name": "Mine" });
    let missing = Answer::to(operator.request(Method::PATCH, PATH).json(&body)).await.problem(428);
    assert_eq!(missing["type"], "/docs/problems#precondition-required");
    operator.patch(PATH, "\"1\"", json!({ "name": "Theirs" })).await.expect(200);
    for stale in ["\"1\"", "\"99\"", "W/\"2\"x", "yesterday"] {
        let problem = operator.patch(PATH, stale, body.clone()).await.problem(412);
        assert_eq!(problem["type"], "/docs/problems#precondition-failed");
    }
    assert_eq!(app.read_instance(1).await["name"], "Theirs");
    operator.patch(PATH, "\"2\"", body).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn concurrent_updates_of_one_version_conflict() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let change = |name: &str| operator.patch(PATH, "\"1\"", json!({ "name": name }));
    let (one, other) = tokio::join!(change("One"), change("Other"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let winner = if one.status == 200 { "One" } else { "Other" };
    assert_eq!(app.read_instance(1).await["name"], winner);
    app.end().await;
}

#[tokio::test]
async fn an_invalid_update_changes_nothing() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    app.instance("other").await;
    let operator = app.operator().await;
    let before = operator.get(PATH).await.expect(200);
    for (body, pointer) in [
        (json!({ "name": "" }), "/name"),
        (json!({ "name": null }), "/name"),
        (json!({ "email": "ada" }), "/email"),
        (json!({ "configuration_extra_settings": "just words" }), "/configuration_extra_settings"),
        (json!({ "sub_domain": "other" }), "/sub_domain"),
        (json!({ "sub_domain": null }), "/sub_domain"),
        (json!({ "instance_type": "wordpress" }), "/instance_type"),
    ] {
        operator.patch(PATH, "\"1\"", body).await.field_error(pointer);
    }
    assert_eq!(operator.get(PATH).await.expect(200), before);
    app.end().await;
}

#[tokio::test]
async fn a_new_address_frees_the_old_one_but_not_while_visitors_use_it() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    operator.patch(PATH, "\"1\"", json!({ "sub_domain": "fresh" })).await.expect(200);
    app.instance("demo").await;

    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    operator.patch(PATH, "\"2\"", json!({ "sub_domain": "later" })).await.expect(200);
    let body = json!({ "name": "x", "sub_domain": "fresh" });
    operator.post("/api/v1/instances", body).await.field_error("/sub_domain");
    let table = || app.traffic.table();
    crate::app::until("the gateway knows the new name", async || table().contains_key("later.localhost")).await;
    assert_eq!(table()["fresh.localhost"], Some(app.sites[0].address), "what is built for it still serves it");
    app.end().await;
}
