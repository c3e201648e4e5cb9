use ocim::platform::logs::{self, About, Line};
use serde_json::{Value, json};
use shared_types::{AppServerId, InstanceId};

use super::logs::with_log;

const PATH: &str = "/api/v1/app-servers/1/logs/matches";

#[tokio::test]
async fn log_matches_agree_with_the_filtered_log() {
    let (app, viewer) = with_log().await;
    for (query, expected) in [
        ("q=LINE%205", vec![5]),
        ("q=line", (2..=10).collect()),
        ("q=100%25", vec![5]),
        ("q=no_such", vec![7]),
        ("q=o_s&level=INFO", vec![7]),
        ("q=%25", vec![5]),
        ("level=WARNING", vec![5, 7]),
        ("level=ERROR&q=line%205", vec![]),
        ("q=not%20there", vec![]),
    ] {
        let found = viewer.get(&format!("{PATH}?{query}")).await.expect(200);
        assert_eq!(found, json!({ "count": expected.len(), "places": expected }), "{query}");
        let page = viewer.get(&format!("/api/v1/app-servers/1/logs?{query}")).await.expect(200);
        let listed: Vec<&Value> = page["items"].as_array().unwrap().iter().map(|entry| &entry["seq"]).collect();
        assert_eq!(json!(listed), found["places"], "{query}");
    }
    app.end().await;
}

#[tokio::test]
async fn log_matches_refuse_invalid_queries_and_match_all_without_a_text() {
    let (app, viewer) = with_log().await;
    for query in ["?level=LOUD", "?q=a&limit=3", "?q=a%00b"] {
        viewer.get(&format!("{PATH}{query}")).await.problem(400);
    }
    let long = "x".repeat(201);
    viewer.get(&format!("{PATH}?q={long}")).await.problem(400);
    let lines = viewer.get(PATH.trim_end_matches("/matches")).await.expect(200)["items"].as_array().unwrap().len();
    for query in ["", "?q="] {
        assert_eq!(viewer.get(&format!("{PATH}{query}")).await.expect(200)["count"], lines, "{query}");
    }
    app.end().await;
}

#[tokio::test]
async fn log_matches_list_the_last_places_and_count_all() {
    let (app, viewer) = with_log().await;
    let about = About::AppServer(InstanceId(1), AppServerId(1));
    let many: Vec<Line> = (1..=10_050).map(|number| Line::info(format!("task {number}"))).collect();
    logs::append(&mut *app.conn().await, about, &many).await.unwrap();
    let found = viewer.get(&format!("{PATH}?q=task")).await.expect(200);
    let places: Vec<i64> = serde_json::from_value(found["places"].clone()).unwrap();
    assert_eq!(found["count"], 10_050);
    assert_eq!(places, (61..=10_060).collect::<Vec<i64>>());
    app.end().await;
}
