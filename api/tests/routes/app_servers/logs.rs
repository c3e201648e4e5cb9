use ocim::platform::logs::{self, About, Line};
use reqwest::Method;
use serde_json::Value;
use shared_types::{AppServerId, InstanceId};

use crate::app::{Answer, Client, TestApp};

const PATH: &str = "/api/v1/app-servers/1/logs";

/// An app server with ten log lines, the first of which the launch wrote.
pub(super) async fn with_log() -> (TestApp, Client) {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let lines: Vec<Line> = (2..=10)
        .map(|number| match number {
            5 => Line::warning("line 5: 100% odd"),
            7 => Line::error("line 7: no_such table"),
            _ => Line::info(format!("line {number}")),
        })
        .collect();
    let about = About::AppServer(InstanceId(instance), AppServerId(id));
    logs::append(&mut *app.conn().await, about, &lines).await.unwrap();
    let viewer = app.viewer().await;
    (app, viewer)
}

fn numbers(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|entry| entry["seq"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_log_is_filtered_by_number_level_and_text() {
    let (app, viewer) = with_log().await;
    for (query, expected) in [
        ("", (1..=10).collect::<Vec<i64>>()),
        ("after=7", vec![8, 9, 10]),
        ("after=3&before=6", vec![4, 5]),
        ("before=4", vec![1, 2, 3]),
        ("before=9&limit=2", vec![7, 8]),
        ("after=2&limit=2", vec![3, 4]),
        ("after=10", vec![]),
        ("level=WARNING", vec![5, 7]),
        ("level=ERROR", vec![7]),
        ("q=LINE%205", vec![5]),
        ("q=100%25", vec![5]),
        ("q=no_such", vec![7]),
        ("q=o_s&level=INFO", vec![7]),
    ] {
        let page = viewer.get(&format!("{PATH}?{query}")).await.expect(200);
        assert_eq!(numbers(&page), expected, "{query}");
    }
    for query in ["limit=0", "level=LOUD", "after=x", "cursor=oops", "colour=red", "format=pdf"] {
        viewer.get(&format!("{PATH}?{query}")).await.problem(400);
    }
    app.end().await;
}

#[tokio::test]
async fn pages_of_a_log_give_every_line_once() {
    let (app, viewer) = with_log().await;
    let (mut path, mut found) = (format!("{PATH}?limit=4"), Vec::new());
    loop {
        let page = viewer.get(&path).await.expect(200);
        found.extend(numbers(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{PATH}?limit=4&cursor={cursor}");
    }
    assert_eq!(found, (1..=10).collect::<Vec<i64>>());
    app.end().await;
}

#[tokio::test]
async fn a_log_as_plain_text_is_complete() {
    let (app, viewer) = with_log().await;
    let about = About::AppServer(InstanceId(1), AppServerId(1));
    let many: Vec<Line> = (0..1200).map(|number| Line::info(format!("task {number}"))).collect();
    logs::append(&mut *app.conn().await, about, &many).await.unwrap();
    let by_header = Answer::to(viewer.request(Method::GET, PATH).header("accept", "text/plain")).await;
    let by_query = viewer.get(&format!("{PATH}?format=text")).await;
    assert_eq!(by_header.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(by_header.body, by_query.body);
    let lines: Vec<&str> = by_query.body.lines().collect();
    assert_eq!(lines.len(), 1210, "more than a page");
    assert!(lines[6].ends_with(" ERROR   line 7: no_such table"), "{}", lines[6]);
    assert!(lines[1209].ends_with(" INFO    task 1199"), "{}", lines[1209]);
    let some = viewer.get(&format!("{PATH}?format=text&level=WARNING")).await;
    assert_eq!(some.body.lines().count(), 2);
    let json =
        Answer::to(viewer.request(Method::GET, &format!("{PATH}?format=json")).header("accept", "text/plain")).await;
    assert_eq!(json.header("content-type"), "application/json");
    app.end().await;
}

#[tokio::test]
async fn the_last_lines_as_text_are_the_last_lines_as_json() {
    let (app, viewer) = with_log().await;
    let text = viewer.get(&format!("{PATH}?before=9&limit=2&format=text")).await;
    let lines: Vec<&str> = text.body.lines().collect();
    assert!(lines.last().unwrap().ends_with("line 8"), "{lines:?}");
    app.end().await;
}

#[tokio::test]
async fn concurrent_writers_leave_no_gap_in_a_log() {
    let (app, viewer) = with_log().await;
    let about = About::AppServer(InstanceId(1), AppServerId(1));
    let writers = (0..8).map(|writer| {
        let db = app.db.clone();
        async move {
            for round in 0..5 {
                let lines = [Line::info(format!("{writer} {round} a")), Line::info(format!("{writer} {round} b"))];
                logs::append(&mut db.conn().await.unwrap(), about, &lines).await.unwrap();
            }
        }
    });
    futures::future::join_all(writers).await;
    let page = viewer.get(&format!("{PATH}?limit=500")).await.expect(200);
    assert_eq!(numbers(&page), (1..=90).collect::<Vec<i64>>());
    app.end().await;
}
