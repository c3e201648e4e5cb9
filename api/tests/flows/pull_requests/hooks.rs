//! Webhooks: which ones are accepted, and what they start.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use ocim::pull_requests::sweep;
use reqwest::Method;
use serde_json::Value;

use super::{FORK, Story};
use crate::app::github::{Delivery, PullSpec};
use crate::app::{Answer, until};

const PATH: &str = "/api/v1/webhooks/github";

impl Story {
    /// Delivers a webhook to the program, as GitHub would.
    pub async fn deliver(&self, delivery: &Delivery) -> Answer {
        let mut request = self.app.anonymous().request(Method::POST, PATH);
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        Answer::to(request.body(delivery.body.clone())).await
    }

    async fn jobs(&self) -> i64 {
        self.app
            .number("SELECT count(*) AS n FROM graphile_worker.jobs WHERE task_identifier = 'SyncPullRequest'")
            .await
    }
}

fn change(delivery: &Delivery, name: &str, value: &str) -> Delivery {
    let mut changed = delivery.clone();
    changed.headers.iter_mut().filter(|(header, _)| header == name).for_each(|(_, held)| *held = value.to_owned());
    changed
}

#[tokio::test]
async fn a_webhook_adds_a_pull_request_without_a_sweep() {
    let story = Story::start().await;
    let number = story.open();
    let delivery = story.github.payload(FORK, number, "opened");
    let began = Instant::now();
    assert_eq!(story.deliver(&delivery).await.status, 200);
    println!("answered in {:?}", began.elapsed());
    story.until_seen(number).await;
    story.until_active(number).await;
    story.end().await;
}

impl Story {
    pub async fn until_seen(&self, number: i32) {
        until("the pull request is known", async || self.find(number).await.is_some()).await;
    }
}

#[tokio::test]
async fn the_payload_of_a_webhook_is_not_trusted() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, PullSpec { author: "mallory".into(), ..PullSpec::default() });
    let mut said: Value = serde_json::from_str(&story.github.payload(FORK, number, "opened").body).unwrap();
    said["pull_request"]["user"]["login"] = "ada".into();
    said["pull_request"]["title"] = "Another title".into();
    story.deliver(&story.github.sign("pull_request", said.to_string())).await;
    story.until_seen(number).await;
    let read = story.read(number).await;
    assert_eq!((read["author"].as_str(), read["title"].as_str()), (Some("mallory"), Some("A change")));
    assert_eq!(read["approval"], "needed");
    story.end().await;
}

#[tokio::test]
async fn a_webhook_with_a_wrong_signature_does_nothing() {
    let story = Story::start().await;
    let number = story.open();
    let right = story.github.payload(FORK, number, "opened");
    let mut body = right.clone();
    body.body.push(' ');
    let mut unsigned = right.clone();
    unsigned.headers.retain(|(name, _)| name != "x-hub-signature-256");
    let wrong = [
        change(&right, "x-hub-signature-256", &format!("sha256={}", "0".repeat(64))),
        change(&right, "x-hub-signature-256", "sha256="),
        change(&right, "x-hub-signature-256", "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        body,
        unsigned,
    ];
    for delivery in wrong {
        story.deliver(&delivery).await.problem(401);
    }
    assert_eq!(story.app.number("SELECT count(*) AS n FROM webhook_deliveries").await, 0);
    assert_eq!(story.find(number).await, None);
    story.end().await;
}

#[tokio::test]
async fn both_webhook_secrets_are_accepted_during_rotation() {
    let story = Story::with(|settings| {
        settings.github.github_webhook_secrets = vec!["the new one".into(), super::SECRET.into()];
    })
    .await;
    let number = story.open();
    assert_eq!(story.deliver(&story.github.payload(FORK, number, "opened")).await.status, 200);
    story.until_seen(number).await;
    story.github.set_secret("the new one");
    assert_eq!(story.deliver(&story.github.payload(FORK, number, "edited")).await.status, 200);
    story.github.set_secret("a third one");
    story.deliver(&story.github.payload(FORK, number, "edited")).await.problem(401);
    story.end().await;
    let story = Story::with(|settings| settings.github.github_webhook_secrets = Vec::new()).await;
    story.github.set_secret("");
    let number = story.open();
    story.deliver(&story.github.payload(FORK, number, "opened")).await.problem(401);
    story.end().await;
}

#[tokio::test]
async fn repeated_and_foreign_webhooks_are_accepted_and_do_nothing() {
    let story = Story::start().await;
    let number = story.open();
    let delivery = story.github.payload(FORK, number, "opened");
    story.deliver(&delivery).await;
    story.until_seen(number).await;
    story.settled().await;
    story.github.take_asked();
    for delivery in [
        delivery,
        story.github.sign("ping", "{\"zen\": \"Keep it logically awesome.\"}".into()),
        story.github.sign("star", "{}".into()),
        story.github.sign("a kind of tomorrow", "[]".into()),
    ] {
        assert_eq!(story.deliver(&delivery).await.status, 200);
    }
    let other = story.github.open_pull("another/repository", PullSpec::default());
    assert_eq!(story.deliver(&story.github.payload("another/repository", other, "opened")).await.status, 200);
    assert_eq!((story.jobs().await, story.github.asked().len()), (0, 0), "GitHub got no request");
    story.end().await;
}

#[tokio::test]
async fn invalid_and_oversized_bodies_of_webhooks_are_refused() {
    let story = Story::start().await;
    for body in ["", "null", "{", "{\"repository\": 1}", "\u{0}"] {
        let delivery = story.github.sign("pull_request", body.into());
        story.deliver(&delivery).await.problem(400);
    }
    // A megabyte is accepted: descriptions can be long.
    let number = story.github.open_pull(FORK, PullSpec { body: "x".repeat(1 << 20), ..PullSpec::default() });
    assert_eq!(story.deliver(&story.github.payload(FORK, number, "opened")).await.status, 200);
    story.until_seen(number).await;
    let trouble = story.read(number).await["settings_trouble"].to_string();
    assert!(trouble.contains("at most 262144 are read"), "{trouble}");
    let too_large = story.github.sign("pull_request", "x".repeat(10_000_001));
    story.deliver(&too_large).await.problem(413);
    story.end().await;
}

#[tokio::test]
async fn webhooks_are_answered_while_github_is_slow() {
    let story = Story::start().await;
    let number = story.open();
    story.github.slow(Duration::from_secs(3));
    let mut taken = Vec::new();
    for _ in 0..20 {
        let delivery = story.github.payload(FORK, number, "edited");
        let began = Instant::now();
        assert_eq!(story.deliver(&delivery).await.status, 200);
        taken.push(began.elapsed());
    }
    taken.sort();
    println!("20 deliveries: median {:?}, slowest {:?}", taken[10], taken[19]);
    assert!(taken[10] < Duration::from_millis(500), "the answer does not wait for GitHub: {taken:?}");
    story.github.slow(Duration::ZERO);
    story.until_seen(number).await;
    story.end().await;
}

#[tokio::test]
async fn a_webhook_about_a_renamed_repository_is_followed() {
    let story = Story::start().await;
    let number = story.open();
    story.sweep().await;
    story.github.rename_repository(FORK, "newcorp/platform");
    let delivery = story.github.repository_payload("newcorp/platform", "renamed");
    assert_eq!(story.deliver(&delivery).await.status, 200);
    sweep::sweep(&story.app.watch, TimeDelta::hours(1)).await.unwrap();
    story.github.push("newcorp/platform", number);
    assert_eq!(story.deliver(&story.github.payload("newcorp/platform", number, "synchronize")).await.status, 200);
    until("the name is followed", async || story.read(number).await["repository"] == "newcorp/platform").await;
    story.end().await;
}
