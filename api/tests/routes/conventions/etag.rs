use reqwest::Method;
use serde_json::json;

use crate::app::{Answer, Client, TestApp};

async fn get(client: &Client, path: &str, tag: &str, encoding: &str) -> Answer {
    let request = client.request(Method::GET, path).header("if-none-match", tag).header("accept-encoding", encoding);
    Answer::to(request).await
}

#[tokio::test]
async fn a_known_etag_is_answered_with_304() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let viewer = app.viewer().await;
    for path in ["/api/v1/instances/1", "/api/v1/instances", "/api/v1/queue", "/api/v1/openapi.json"] {
        let tag = viewer.get(path).await.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 17, "{path}: {tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let answer = get(&viewer, path, &known, "identity").await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (304, ""), "{path} {known}");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("cache-control"), "private, no-cache");
            assert_eq!(answer.header("content-type"), "");
        }
        assert_eq!(get(&viewer, path, "\"other\"", "identity").await.status, 200);
    }
    // The tag depends on the whole answer, not only on the version.
    let tag = viewer.get("/api/v1/instances/1").await.header("etag").to_owned();
    app.launched(instance).await;
    let changed = get(&viewer, "/api/v1/instances/1", &tag, "identity").await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    app.end().await;
}

#[tokio::test]
async fn etags_differ_by_encoding_and_each_is_accepted_for_a_change() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let operator = app.operator().await;
    let path = "/api/v1/instances/1";
    let mut tags = Vec::new();
    for encoding in ["identity", "gzip", "br"] {
        let answer = get(&operator, path, "\"other\"", encoding).await;
        let is_compressed = answer.header("content-encoding") == encoding;
        assert_eq!(is_compressed, encoding != "identity", "{encoding}: {:?}", answer.headers);
        tags.push(answer.header("etag").to_owned());
    }
    assert_eq!(tags.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{tags:?}");
    for (change, tag) in tags.iter().enumerate() {
        let version = format!("\"{}-", change + 1);
        let tag = tag.replacen("\"1-", &version, 1);
        operator.patch(path, &tag, json!({ "name": format!("Name {change}") })).await.expect(200);
    }
    operator.patch(path, &tags[0], json!({ "name": "stale" })).await.problem(412);
    app.end().await;
}

#[tokio::test]
async fn the_current_user_is_not_cached_by_a_browser() {
    let app = TestApp::idle().await;
    let answer = app.viewer().await.get("/api/v1/auth/me").await;
    answer.expect(200);
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", ""));
    app.end().await;
}
