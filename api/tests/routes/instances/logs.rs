use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, TestApp};

const PATH: &str = "/api/v1/instances/1/logs";

#[tokio::test]
async fn the_log_of_an_instance_excludes_app_server_entries() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.instance("other").await;
    app.launched(instance).await;
    let viewer = app.viewer().await;
    let page = viewer.get(PATH).await.expect(200);
    let texts: Vec<&str> =
        page["items"].as_array().unwrap().iter().map(|entry| entry["text"].as_str().unwrap()).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts[0].starts_with("Created by "));
    assert_eq!(texts[1], "AppServer 1 launched by test");
    assert_eq!(page["items"][0]["seq"], json!(null), "numbers are for app servers");

    let first = &page["items"][0]["id"];
    assert_eq!(viewer.get(&format!("{PATH}?after={first}")).await.expect(200)["items"][0], page["items"][1]);
    let second = &page["items"][1]["id"];
    assert_eq!(viewer.get(&format!("{PATH}?before={second}")).await.expect(200)["items"], json!([page["items"][0]]));
    let text = Answer::to(viewer.request(Method::GET, PATH).header("accept", "text/plain")).await;
    assert_eq!(text.body.lines().count(), 2);
    app.end().await;
}
