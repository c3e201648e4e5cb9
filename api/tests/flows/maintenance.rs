//! The maintenance page of an instance: put up and taken down by people, told to the gateway, kept over switches.

use serde_json::{Value, json};
use shared_types::Role;

use crate::app::{TestApp, until};

#[tokio::test]
async fn visitors_get_the_page_until_it_is_taken_down_and_switches_go_on_meanwhile() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    let operator = app.operator().await;
    let path = format!("/api/v1/instances/{instance}/maintenance");
    let shown = operator.put(&path, json!({ "text": " We are back at 5. ", "reason": "upgrade" })).await.expect(200);
    assert_eq!(shown["maintenance"]["text"], "We are back at 5.");
    let notice = |host: &str| app.traffic.notice(host);
    for host in ["demo.localhost", "studio.demo.localhost"] {
        until("the gateway has the page", async || notice(host).as_deref() == Some("We are back at 5.")).await;
    }
    let second = app.running(instance).await;
    app.activate(second).await.expect(200);
    assert_eq!(notice("demo.localhost").as_deref(), Some("We are back at 5."), "a switch does not take it down");
    operator.put(&path, json!({})).await.expect(200);
    until("the usual text", async || notice("demo.localhost").is_some_and(|text| text.contains("worked on"))).await;
    let ended = operator.delete(&path).await.expect(200);
    assert_eq!(ended["maintenance"], Value::Null);
    until("the page is gone", async || notice("demo.localhost").is_none()).await;
    assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[1].address));
    operator.delete(&path).await.expect(200);
    let trail = app.person(Role::Admin).await.get("/api/v1/activity?limit=50").await.expect(200);
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    let count = |action| actions.iter().filter(|one| **one == action).count();
    assert_eq!((count("begin_maintenance"), count("end_maintenance")), (2, 1), "{actions:?}");
    app.end().await;
}

#[tokio::test]
async fn bad_texts_and_archived_instances_are_refused() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    let path = format!("/api/v1/instances/{instance}/maintenance");
    for text in ["x".repeat(501), "a\u{7}b".to_owned(), "a\0b".to_owned()] {
        operator.put(&path, json!({ "text": text })).await.field_error("/text");
    }
    operator.put(&path, json!({ "text": "ü".repeat(500) })).await.expect(200);
    operator.delete(&format!("/api/v1/instances/{instance}?terminate=true")).await.expect(200);
    assert_eq!(app.read_instance(instance).await["maintenance"], Value::Null, "archived: there are no visitors");
    operator.put(&path, json!({})).await.problem(409);
    app.viewer().await.put(&path, json!({})).await.problem(403);
    app.end().await;
}
