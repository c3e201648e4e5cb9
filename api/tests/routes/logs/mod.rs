//! The logs of all instances and app servers in one list.

use serde_json::Value;

use crate::app::{Client, TestApp};

async fn texts(client: &Client, query: &str) -> Vec<String> {
    let page = client.get(&format!("/api/v1/logs?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_logs_are_listed_newest_first() {
    let app = TestApp::idle().await;
    let (one, other) = (app.instance("one").await, app.instance("other").await);
    let (first, second) = (app.launched(one).await, app.launched(other).await);
    app.execute("UPDATE log_entries SET level = 'ERROR' WHERE id = (SELECT max(id) FROM log_entries)").await;
    let viewer = app.viewer().await;
    let page = viewer.get("/api/v1/logs").await.expect(200);
    let ids: Vec<i64> = page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
    assert!(ids.len() >= 6 && ids.windows(2).all(|pair| pair[0] > pair[1]), "{ids:?}");
    let of_one = viewer.get(&format!("/api/v1/logs?instance={one}")).await.expect(200);
    let is_of_one = |entry: &Value| entry["instance_id"] == one;
    assert!(of_one["items"].as_array().unwrap().iter().all(is_of_one));
    assert_eq!(
        texts(&viewer, &format!("instance={one}&q=LAUNCHED")).await.len(),
        2,
        "its own log and its app server's"
    );
    assert_eq!(texts(&viewer, &format!("app_server={second}&q=launched")).await.len(), 1);
    assert_eq!(texts(&viewer, "level=ERROR").await.len(), 1);
    assert_eq!(texts(&viewer, "q=100%25").await, Vec::<String>::new());
    let next = viewer.get("/api/v1/logs?limit=2").await.expect(200)["next_cursor"].as_str().unwrap().to_owned();
    let next = viewer.get(&format!("/api/v1/logs?limit=2&cursor={next}")).await.expect(200);
    assert_eq!(next["items"][0]["id"], ids[2]);
    assert_ne!(first, second);
    app.end().await;
}
