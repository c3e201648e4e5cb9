//! The stream of events.

use serde_json::json;

use crate::app::{Stream, TestApp};

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
async fn the_stream_of_events_ends_with_the_program() {
    let app = TestApp::idle().await;
    let mut stream = Stream::open(&app.viewer().await, PATH, None).await;
    app.instance("demo").await;
    stream.next_of("InstanceCreated").await;
    app.end().await;
    while stream.next().await.is_some() {}
}
