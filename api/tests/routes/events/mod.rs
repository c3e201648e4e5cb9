//! The stream of events.

use diesel_async::AsyncConnection;
use serde_json::json;

use crate::app::{Stream, TestApp, number};

const PATH: &str = "/api/v1/events";

#[tokio::test]
async fn events_arrive_with_their_ids() {
    let app = TestApp::idle().await;
    let mut stream = Stream::open(&app.viewer().await, PATH, None).await;
    let instance = app.instance("demo").await;
    let created = stream.next_of("InstanceCreated").await;
    assert_eq!((&created.data["type"], &created.data["instance_id"]), (&json!("InstanceCreated"), &json!(instance)));
    assert_eq!(created.data["id"], json!(created.id));
    let id = app.launched(instance).await;
    let launched = stream.next_of("AppServerLaunched").await;
    assert_eq!(launched.data["app_server_id"], id);
    let grown = stream.next_of("LogAppended").await;
    assert_eq!((grown.id, &grown.data["last_seq"]), (None, &json!(1)), "hints about logs are not kept");
    app.end().await;
}

#[tokio::test]
async fn a_client_that_reconnects_gets_the_missed_events() {
    let app = TestApp::idle().await;
    let mut stream = Stream::open(&app.viewer().await, PATH, None).await;
    let instance = app.instance("demo").await;
    let seen = stream.next_of("InstanceCreated").await;
    drop(stream);
    app.launched(instance).await;
    app.instance("other").await;
    let mut stream = Stream::open(&app.viewer().await, PATH, seen.id).await;
    let kinds = [stream.next().await.unwrap().event, stream.next().await.unwrap().event];
    assert_eq!(kinds, ["AppServerLaunched", "InstanceCreated"]);
    app.instance("third").await;
    assert_eq!(stream.next_of("InstanceCreated").await.data["instance_id"], 3);
    app.end().await;
}

#[tokio::test]
async fn a_client_that_missed_too_many_events_is_told_and_resumes_after_the_newest() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    app.instance("demo").await;
    let first = app.number("SELECT min(id) AS n FROM events").await;
    let many = "INSERT INTO events (kind, instance_id) SELECT 'InstanceUpdated', 1 FROM generate_series(1, $)";
    let missed = app.number("SELECT count(*) AS n FROM events").await - 1;
    app.execute(&many.replace('$', &(1000 - missed).to_string())).await;
    let mut stream = Stream::open(&viewer, PATH, Some(first)).await;
    for _ in 0..1000 {
        assert_ne!(stream.next().await.unwrap().event, "gap");
    }
    drop(stream);
    app.execute(&many.replace('$', "1")).await;
    let newest = async || app.number("SELECT max(id) AS n FROM events").await;
    // 1001 events, and an event that is not kept any more.
    for last in [first, 1_000_000] {
        let expected = newest().await;
        let mut stream = Stream::open(&viewer, PATH, Some(last)).await;
        let gap = stream.next().await.unwrap();
        assert_eq!((gap.event.as_str(), gap.id), ("gap", Some(expected)));
        app.execute(&many.replace('$', "1")).await;
        assert_eq!(stream.next().await.unwrap().id, Some(expected + 1));
    }
    app.end().await;
}

#[tokio::test]
async fn an_event_that_was_committed_after_one_with_a_higher_id_is_not_skipped() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    let insert = "INSERT INTO events (kind, instance_id) VALUES ('InstanceUpdated', 1)";
    app.execute(insert).await;
    let mut late = app.conn().await;
    let (last, late_id) = late
        .transaction(async |late| {
            diesel_async::RunQueryDsl::execute(diesel::sql_query(insert), late).await?;
            let id = number(late, "SELECT max(id) AS n FROM events").await;
            app.execute(insert).await;
            Ok::<_, diesel::result::Error>((app.number("SELECT max(id) AS n FROM events").await, id))
        })
        .await
        .unwrap();
    assert!(late_id < last);
    app.execute(insert).await;
    let mut stream = Stream::open(&viewer, PATH, Some(last)).await;
    let mut replayed = Vec::new();
    // Earlier ones may be replayed, too, while a transaction of another test runs on the same server.
    while replayed.last() != Some(&(last + 1)) {
        replayed.extend(stream.next().await.unwrap().id);
    }
    assert!(replayed.contains(&late_id) && !replayed.contains(&last), "{replayed:?}");
    app.end().await;
}

#[tokio::test]
async fn the_stream_of_events_ends_with_the_program() {
    let app = TestApp::idle().await;
    let mut stream = Stream::open(&app.viewer().await, PATH, None).await;
    app.instance("demo").await;
    stream.next_of("InstanceCreated").await;
    app.end().await;
    while stream.next().await.is_some() {}
}
