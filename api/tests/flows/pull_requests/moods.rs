//! GitHub is slow, unavailable, or limits the rate.

use ocim::platform::origin::Actor;
use ocim::pull_requests::WatchError;
use serde_json::{Value, json};

use super::{FORK, Story};
use crate::app::until;

#[tokio::test]
async fn an_unreadable_pull_request_does_not_block_others() {
    let story = Story::start().await;
    let numbers = [story.open(), story.open(), story.open()];
    story.github.break_pull(FORK, numbers[1], true);
    ocim::pull_requests::sweep::sweep(&story.app.watch, chrono::TimeDelta::zero()).await.unwrap();
    for number in [numbers[0], numbers[2]] {
        until("the pull request is known", async || story.find(number).await.is_some()).await;
        story.until_active(number).await;
    }
    assert_eq!(story.find(numbers[1]).await, None);
    story.github.break_pull(FORK, numbers[1], false);
    // The sync job retries by itself.
    until("the pull request is known", async || story.find(numbers[1]).await.is_some()).await;
    story.end().await;
}

#[tokio::test]
async fn a_rate_limit_pauses_requests_and_loses_no_pull_request() {
    let story = Story::start().await;
    let numbers: Vec<i32> = (0..12).map(|_| story.open()).collect();
    // Enough requests for the list, the team and a few pull requests; the others have to wait.
    story.github.limit(6, 3);
    ocim::pull_requests::sweep::sweep(&story.app.watch, chrono::TimeDelta::zero()).await.unwrap();
    until("the pause began", async || story.app.number("SELECT count(*) AS n FROM github_pause").await == 1).await;
    let while_paused = story.github.asked().len();
    let refused = ocim::pull_requests::ask::update_instance(
        &story.app.watch,
        &Actor::User("test".to_owned()),
        shared_types::PullRequestId(1),
    )
    .await;
    assert!(matches!(refused, Err(WatchError::Paused { .. } | WatchError::Refused(_))), "{refused:?}");
    assert!(story.github.asked().len() - while_paused <= 4, "no more than what was under way");
    story.github.limit(5000, 3600);
    for number in numbers {
        until("the pull request is known", async || story.find(number).await.is_some()).await;
    }
    story.end().await;
}

#[tokio::test]
async fn a_failed_sweep_states_the_reason_and_the_next_one_catches_up() {
    let story = Story::start().await;
    let number = story.open();
    let trouble = "SELECT count(*) AS n FROM watched_repositories WHERE trouble IS NOT NULL";
    story.github.fail_next(1, 502);
    story.sweep().await;
    assert_eq!(story.app.number(trouble).await, 1);
    assert_eq!(story.find(number).await, None);
    story.github.garble_next(1);
    story.sweep().await;
    assert_eq!(story.app.number(trouble).await, 1);
    story.sweep().await;
    assert_eq!(story.app.number(trouble).await, 0);
    story.until_active(number).await;
    story.end().await;
}

#[tokio::test]
async fn a_sweep_without_changes_does_not_count_against_the_rate_limit() {
    let story = Story::start().await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    story.sweep().await;
    let left = story.github.left();
    story.github.take_asked();
    story.sweep().await;
    assert_eq!(story.github.asked().len(), 1, "one question");
    assert_eq!(story.github.left(), left, "which did not count");
    story.end().await;
}

#[tokio::test]
async fn an_operators_request_is_answered_with_the_error_of_github() {
    let story = Story::start().await;
    let number = story.open();
    story.sweep().await;
    let read = story.read(number).await;
    let path = format!("{}/update-instance", read["api_url"].as_str().unwrap());
    let operator = story.app.operator().await;
    story.github.fail_next(1, 503);
    let down = operator.post(&path, json!({})).await.problem(502);
    assert_eq!(down["type"], "/docs/problems#bad-gateway");
    story.github.secondary_limit(Some(Some(2)));
    let paused = operator.post(&path, json!({})).await;
    paused.problem(503);
    assert!(paused.header("retry-after").parse::<u32>().unwrap() <= 3);
    story.github.secondary_limit(None);
    until("the request is accepted again", async || operator.post(&path, json!({})).await.status == 200).await;
    story.end().await;
}

#[tokio::test]
async fn a_pull_request_that_github_hides_is_not_closed() {
    let story = Story::with(|settings| settings.watch.watch_archive_minutes = 0).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let instance = story.instance(number).await;
    story.github.delete_repository(FORK);
    let read = story.read(number).await;
    let path = format!("{}/update-instance", read["api_url"].as_str().unwrap());
    story.app.operator().await.post(&path, json!({})).await.problem(502);
    assert_eq!(story.read(number).await["state"], "open", "a repository that is hidden for a moment ends nothing");
    assert_eq!(story.app.read_instance(instance).await["archived_at"], Value::Null);
    story.end().await;
}
