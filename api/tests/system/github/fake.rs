//! The fake GitHub as other programs use it, and its webhooks.

use ocim::pull_requests::webhook::{self, Wakeup};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{REPOSITORY, start};
use crate::app::github::{Delivery, PullSpec};
use crate::app::http;

fn header<'a>(delivery: &'a Delivery, name: &str) -> &'a str {
    &delivery.headers.iter().find(|(known, _)| known == name).unwrap().1
}

#[tokio::test]
async fn a_webhook_is_known_by_its_signature() {
    let (fake, _) = start().await;
    fake.set_secret("the new one");
    let number = fake.open_pull(REPOSITORY, PullSpec::default());
    let commit = fake.push(REPOSITORY, number);
    let delivery = fake.payload(REPOSITORY, number, "synchronize");
    let body = delivery.body.as_bytes();
    let signature = Some(header(&delivery, "x-hub-signature-256"));
    let secrets = ["the old one", "the new one"].map(SecretString::from);
    assert!(webhook::verify(&secrets, body, signature));
    assert!(!webhook::verify(&secrets[..1], body, signature));
    let wakeup = Wakeup { repository: REPOSITORY.into(), github_id: fake.repository(REPOSITORY), number: Some(number) };
    assert_eq!(webhook::read(header(&delivery, "x-github-event"), body), Ok(Some(wakeup.clone())));
    let value: Value = serde_json::from_str(&delivery.body).unwrap();
    assert_eq!(value["after"], commit);
    fake.rename_repository(REPOSITORY, "acme/lms");
    let delivery = fake.repository_payload("acme/lms", "renamed");
    let wakeup = Wakeup { repository: "acme/lms".into(), number: None, ..wakeup };
    assert_eq!(webhook::read(header(&delivery, "x-github-event"), delivery.body.as_bytes()), Ok(Some(wakeup)));
    fake.stop().await;
}

#[tokio::test]
async fn other_programs_use_the_same_verbs() {
    let (fake, github) = start().await;
    let http = http().build().unwrap();
    let order = async |verb: &str, order: Value| {
        let sent = http.post(format!("{}/_control/{verb}", fake.base)).json(&order).send().await.unwrap();
        assert_eq!(sent.status(), 200, "{verb}");
        sent.json::<Value>().await.unwrap()
    };
    let opened =
        order("open_pull", json!({ "repository": REPOSITORY, "pull": { "title": "One", "is_draft": true } })).await;
    assert_eq!(opened, json!({ "number": 1 }));
    let pushed = order("push", json!({ "repository": REPOSITORY, "number": 1 })).await;
    order("edit_body", json!({ "repository": REPOSITORY, "number": 1, "text": "Settings" })).await;
    order("close", json!({ "repository": REPOSITORY, "number": 1 })).await;
    let said = github.pull_request(REPOSITORY, 1).await.unwrap();
    assert_eq!((pushed["commit"].as_str(), said.body.as_str()), (Some(said.head_commit.as_str()), "Settings"));
    assert!(said.is_draft && said.closed_at.is_some());
    github.create_comment(REPOSITORY, 1, "Hello").await.unwrap();
    let comments = order("comments", json!({ "repository": REPOSITORY, "number": 1 })).await;
    assert_eq!(comments[0]["body"], "Hello");
    let payload = order("payload", json!({ "repository": REPOSITORY, "number": 1, "text": "closed" })).await;
    assert!(payload["body"].as_str().unwrap().contains("\"action\":\"closed\""));
    let unknown = http.post(format!("{}/_control/nothing", fake.base)).json(&json!({})).send().await.unwrap();
    assert_eq!(unknown.status(), 404);
    let typo = http.post(format!("{}/_control/close", fake.base)).json(&json!({ "numbr": 1 })).send().await.unwrap();
    assert_eq!(typo.status(), 400);
    fake.stop().await;
}
