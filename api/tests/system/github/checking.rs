//! Each field of a pull request from GitHub is validated.

use ocim::pull_requests::github::{Github, GithubError, PullRequestSaid};
use serde_json::{Value, json};

use super::{REPOSITORY, parrot, settings};

fn right() -> Value {
    let repository = |id: u32, name: &str| json!({ "id": id, "full_name": name });
    json!({
        "number": 7, "state": "open", "title": "A change", "body": "Settings", "user": { "login": "ada" }, "draft": false,
        "updated_at": "2026-01-02T03:04:05Z", "closed_at": null, "merged_at": null,
        "head": { "ref": "feature/x", "sha": "A".repeat(40), "repo": repository(2, "ada/edx-platform") },
        "base": { "ref": "main", "sha": "b".repeat(40), "repo": repository(1, REPOSITORY) },
    })
}

async fn said(pull: &Value) -> Result<PullRequestSaid, GithubError> {
    let body = pull.to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    Github::new(&settings(&parrot(answer.into_bytes()).await)).unwrap().pull_request(REPOSITORY, 7).await
}

fn with(pointer: &str, value: Value) -> Value {
    let mut pull = right();
    *pull.pointer_mut(pointer).unwrap() = value;
    pull
}

#[tokio::test]
async fn invalid_fields_of_a_pull_request_are_refused() {
    assert_eq!(said(&right()).await.unwrap().head_commit, "a".repeat(40));
    for (pointer, value) in [
        ("/number", json!(0)),
        ("/number", json!(8)),
        ("/number", json!(4_294_967_303_u64)),
        ("/state", json!("merged")),
        ("/title", json!(null)),
        ("/updated_at", json!("yesterday")),
        ("/head", json!(null)),
        ("/head/sha", json!("main")),
        ("/head/sha", json!("é".repeat(20))),
        ("/head/ref", json!("")),
        ("/head/ref", json!("ma\u{200e}in")),
        ("/head/ref", json!("a\nb")),
        ("/head/ref", json!("x".repeat(501))),
        ("/head/repo/full_name", json!("ada")),
        ("/head/repo/full_name", json!("ada/../../x")),
        ("/head/repo/full_name", json!("-o/x")),
        ("/base/repo", json!(null)),
        ("/base/repo/id", json!(0)),
        ("/base/repo/full_name", json!("acme/edx platform")),
    ] {
        let answer = said(&with(pointer, value.clone())).await;
        assert!(matches!(answer, Err(GithubError::Invalid(_))), "{pointer} {value}: {answer:?}");
    }
}

#[tokio::test]
async fn long_fields_are_cut_and_missing_ones_have_defaults() {
    let title = said(&with("/title", json!("é".repeat(1001)))).await.unwrap().title;
    assert_eq!(title.chars().count(), 1000);
    let body = said(&with("/body", json!("x".to_owned() + &"é".repeat(200_000)))).await.unwrap().body;
    // Longer than the limit for reading, so that the description is refused as a whole.
    assert_eq!(body.len(), (256 << 10) + 3);
    let bare = said(&with("/user", json!(null))).await.unwrap();
    assert_eq!(bare.author, "ghost");
    let bare = said(&with("/body", json!(null))).await.unwrap();
    assert_eq!(bare.body, "");
    let bare = said(&with("/head/repo", json!(null))).await.unwrap();
    assert_eq!((bare.fork_name, bare.branch_name.as_str()), (None, "feature/x"));
}
