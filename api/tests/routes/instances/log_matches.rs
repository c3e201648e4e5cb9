use serde_json::json;

use crate::app::TestApp;

const PATH: &str = "/api/v1/instances/1/logs/matches";

#[tokio::test]
async fn log_matches_of_an_instance_exclude_app_server_logs() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.instance("other").await;
    app.launched(instance).await;
    let viewer = app.viewer().await;
    let page = viewer.get("/api/v1/instances/1/logs").await.expect(200);
    let [first, second] = [0, 1].map(|at| page["items"][at]["id"].clone());
    let matches = async |query: &str| viewer.get(&format!("{PATH}?{query}")).await.expect(200);
    assert_eq!(matches("q=created").await, json!({ "count": 1, "places": [first] }));
    assert_eq!(matches("level=INFO").await, json!({ "count": 2, "places": [first, second] }));
    assert_eq!(matches("q=launched").await["places"], json!([second]), "the app server's own log is another");
    app.end().await;
}
