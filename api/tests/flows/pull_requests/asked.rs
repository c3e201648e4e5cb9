//! Requests about pull requests over the API.

use ocim::pull_requests::tend;
use serde_json::{Value, json};

use super::{FORK, Story};
use crate::app::github::PullSpec;

#[tokio::test]
async fn an_operator_adds_a_pull_request_without_waiting_for_a_sweep() {
    let story = Story::start().await;
    let number = story.open();
    let operator = story.app.operator().await;
    let url = format!("https://github.com/{FORK}/pull/{number}/files");
    let answer = operator.post("/api/v1/pull-requests", json!({ "url": url })).await;
    let seen = answer.expect(200);
    assert_eq!(answer.header("location"), seen["api_url"]);
    assert_eq!(seen["github_pr_number"], number);
    story.until_active(number).await;
    for wrong in [
        format!("https://github.com/another/repository/pull/{number}"),
        format!("https://github.com/{FORK}/pull/99"),
        format!("https://github.com/{FORK}/issues/{number}"),
        "https://evil.example/acme/edx-platform/pull/1".into(),
        "x".repeat(501),
        String::new(),
    ] {
        let refused = operator.post("/api/v1/pull-requests", json!({ "url": wrong })).await;
        assert!(!refused.field_error("/url").is_empty(), "{wrong}");
    }
    story.app.viewer().await.post("/api/v1/pull-requests", json!({ "url": url })).await.problem(403);
    story.end().await;
}

#[tokio::test]
async fn an_update_creates_a_missing_instance_and_launches_nothing() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, PullSpec { author: "mallory".into(), ..PullSpec::default() });
    story.sweep().await;
    // As if it was approved while no builds were possible.
    story.app.execute("UPDATE pull_requests SET decision = 'approved', decided_version = version").await;
    let path = story.read(number).await["api_url"].as_str().unwrap().to_owned();
    let updated = story.app.operator().await.post(&format!("{path}/update-instance"), json!({})).await.expect(200);
    assert_eq!(updated["is_applied"], true);
    assert_eq!(updated["instance"]["appserver_count"], 0);
    story.sweep_whole().await;
    assert_eq!(story.launches(story.instance(number).await).await, 0);
    story.end().await;
}

#[tokio::test]
async fn a_taken_domain_is_reported_and_used_once_it_is_free() {
    let story = Story::start().await;
    let other = story.app.instance("pr1.sandbox").await;
    let number = story.open();
    story.sweep().await;
    let read = story.read(number).await;
    assert!(read["trouble"].as_str().unwrap().contains("pr1.sandbox.localhost"), "{read:#}");
    assert_eq!(read["instance"], Value::Null);
    let path = format!("{}/update-instance", read["api_url"].as_str().unwrap());
    story.app.operator().await.post(&path, json!({})).await.problem(422);
    let instance = story.app.read_instance(other).await;
    let (path, etag) = (instance["api_url"].as_str().unwrap(), instance["etag"].as_str().unwrap());
    story.app.operator().await.patch(path, etag, json!({ "sub_domain": "elsewhere" })).await.expect(200);
    tend::try_again(&story.app.watch).await.unwrap();
    story.until_active(number).await;
    assert_eq!(story.read(number).await["trouble"], Value::Null);
    story.end().await;
}

#[tokio::test]
async fn pull_requests_are_filtered_searched_and_paged() {
    let story = Story::with(|settings| settings.watch.watch_organization = String::new()).await;
    let mut numbers = Vec::new();
    for (title, branch) in [("Grades", "show-grades"), ("Forums", "faster"), ("Notes", "grades-too")] {
        let spec = PullSpec { title: title.into(), branch: branch.into(), ..PullSpec::default() };
        numbers.push(story.github.open_pull(FORK, spec));
    }
    story.sweep().await;
    story.github.close(FORK, numbers[1]);
    story.sweep().await;
    let viewer = story.app.viewer().await;
    let found = async |query: &str| -> Vec<i64> {
        let page = viewer.get(&format!("/api/v1/pull-requests?{query}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|one| one["github_pr_number"].as_i64().unwrap()).collect()
    };
    let number = |at: usize| i64::from(numbers[at]);
    assert_eq!(found("").await, [number(1), number(2), number(0)], "the last changed first");
    assert_eq!(found("state=open").await, [number(2), number(0)]);
    assert_eq!(found("state=closed").await, [number(1)]);
    assert_eq!(found("q=grad").await, [number(2), number(0)]);
    assert_eq!(found("q=ada+forum").await, [number(1)]);
    assert_eq!(found(&format!("q={}", numbers[0])).await, [number(0)]);
    assert_eq!(found("needs_approval=true").await, [number(2), number(0)]);
    assert_eq!(found("needs_approval=false").await, [number(1)]);
    let first = viewer.get("/api/v1/pull-requests?limit=2").await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(found(&format!("limit=2&cursor={cursor}")).await, [number(0)]);
    viewer.get("/api/v1/pull-requests/999").await.problem(404);
    assert_eq!(first["items"][0]["instance"], Value::Null);
    story.end().await;
}
