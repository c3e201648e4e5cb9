use serde_json::json;

use crate::app::{Stream, TestApp};

const PATH: &str = "/api/v1/instances/1/logs/stream";

#[tokio::test]
async fn the_log_stream_of_an_instance_begins_at_the_given_entry() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let viewer = app.viewer().await;
    let mut stream = Stream::open(&viewer, PATH, None).await;
    let created = stream.next_of("entry").await;
    assert_eq!(created.data["id"], json!(created.id));
    assert!(created.data["text"].as_str().unwrap().starts_with("Created by "));
    app.launched(instance).await;
    let launched = stream.next_of("entry").await;
    assert_eq!(launched.data["text"], "AppServer 1 launched by test");
    let mut resumed = Stream::open(&viewer, PATH, created.id).await;
    assert_eq!(resumed.next_of("entry").await, launched);
    app.end().await;
}
