use ocim::platform::logs::{self, About, Line};
use shared_types::{AppServerId, InstanceId};

use crate::app::{Stream, TestApp};

const PATH: &str = "/api/v1/app-servers/1/logs/stream";
const ABOUT: About = About::AppServer(InstanceId(1), AppServerId(1));

async fn write(app: &TestApp, text: &str) {
    logs::append(&mut *app.conn().await, ABOUT, &[Line::info(text)]).await.unwrap();
}

#[tokio::test]
async fn a_log_stream_resumes_without_a_gap() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    for text in ["two", "three"] {
        write(&app, text).await;
    }
    let viewer = app.viewer().await;
    let mut stream = Stream::open(&viewer, &format!("{PATH}?after=1"), None).await;
    assert_eq!(stream.next_of("entry").await.data["text"], "two");
    drop(stream);
    let mut stream = Stream::open(&viewer, &format!("{PATH}?after=1"), Some(2)).await;
    let three = stream.next_of("entry").await;
    assert_eq!((three.id, three.data["text"].as_str()), (Some(3), Some("three")), "Last-Event-ID wins");
    write(&app, "four").await;
    let four = stream.next_of("entry").await;
    assert_eq!((four.id, four.data["text"].as_str()), (Some(4), Some("four")));
    app.end().await;
}

#[tokio::test]
async fn a_log_stream_ends_with_the_program() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    let mut stream = Stream::open(&app.viewer().await, PATH, None).await;
    assert_eq!(stream.next_of("entry").await.id, Some(1));
    app.end().await;
    while stream.next().await.is_some() {}
}
