//! Reading and exporting the audit log.

use chrono::Utc;
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, Client, TestApp};

async fn actions(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/api/v1/activity?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_paged_newest_first() {
    let app = TestApp::idle().await;
    let (one, other) = (app.operator().await, app.operator().await);
    let body = |name: &str| json!({ "name": name, "sub_domain": name });
    one.post("/api/v1/instances", body("a")).await.expect(201);
    other.post("/api/v1/instances", body("b")).await.expect(201);
    let launched =
        one.post("/api/v1/instances/2/app-servers", json!({ "reason": "a try" })).await.expect(202)["id"].clone();
    one.post("/api/v1/app-servers/1/activate", json!({})).await.problem(409);

    let all = ["activate_app_server", "launch_app_server", "create_instance", "create_instance"];
    assert_eq!(actions(&one, "").await, all);
    assert_eq!(actions(&one, "action=create_instance").await.len(), 2);
    assert_eq!(actions(&one, "instance=2").await, ["launch_app_server", "create_instance"]);
    assert_eq!(actions(&one, &format!("app_server={launched}")).await, ["activate_app_server", "launch_app_server"]);
    assert_eq!(actions(&one, "outcome=refused").await, ["activate_app_server"]);
    let now = Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    assert_eq!(actions(&one, &format!("since={now}")).await, Vec::<String>::new());
    assert_eq!(actions(&one, &format!("until={now}")).await.len(), 4);

    let first = one.get("/api/v1/activity?limit=3").await.expect(200);
    let actor = first["items"][0]["actor"].as_str().unwrap();
    assert_eq!(actions(&one, &format!("actor={}", actor.replace(' ', "%20"))).await.len(), 3);
    assert_eq!((&first["items"][1]["reason"], &first["items"][1]["outcome"]), (&json!("a try"), &json!("done")));
    let next = format!("limit=3&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(actions(&one, &next).await, ["create_instance"]);
    for query in ["outcome=maybe", "since=yesterday", "instance=x"] {
        one.get(&format!("/api/v1/activity?{query}")).await.problem(400);
    }
    app.end().await;
}

#[tokio::test]
async fn the_audit_log_is_exported_as_json_lines() {
    let app = TestApp::idle().await;
    let fill = "INSERT INTO audit_log (actor, action) SELECT 'mallory', 'n' || n FROM generate_series(1, 1234) AS n";
    app.execute(fill).await;
    let request = app.viewer().await.request(Method::GET, "/api/v1/activity?actor=mallory");
    let answer = Answer::to(request.header("accept", "application/jsonl")).await;
    assert_eq!(answer.header("content-type"), "application/jsonl");
    let entries: Vec<Value> = answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 1234);
    assert_eq!((&entries[0]["action"], &entries[1233]["action"]), (&json!("n1234"), &json!("n1")));
    // A browser's link cannot set the `Accept` header.
    let linked = app.viewer().await.get("/api/v1/activity?actor=mallory&format=jsonl").await;
    assert_eq!((linked.header("content-type"), linked.body == answer.body), ("application/jsonl", true));
    app.viewer().await.get("/api/v1/activity?format=xml").await.problem(400);
    app.end().await;
}

#[tokio::test]
async fn audit_entries_cannot_be_changed_or_deleted() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    app.operator().await.post("/api/v1/instances/1/app-servers", json!({})).await.expect(202);
    let mut conn = app.conn().await;
    for change in ["UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        let refused = diesel_async::RunQueryDsl::execute(diesel::sql_query(change), &mut conn).await.unwrap_err();
        assert!(refused.to_string().contains("the audit log only grows"), "{change}: {refused}");
    }
    app.end().await;
}
