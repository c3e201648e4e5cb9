//! GitHub that is slow, down, or wants to be left alone.

use ocim::pull_requests::WatchError;
use serde_json::{Value, json};

use super::{FORK, Story};
use crate::app::until;

#[tokio::test]
async fn a_bad_pull_request_stops_no_other() {
    let story = Story::start().await;
    let numbers = [story.open(), story.open(), story.open()];
    story.github.break_pull(FORK, numbers[1], true);
    ocim::pull_requests::sweep::sweep(&story.app.watch, chrono::TimeDelta::zero()).await.unwrap();
    for number in [numbers[0], numbers[2]] {
        until("it is seen", async || story.find(number).await.is_some()).await;
        story.until_active(number).await;
    }
    assert_eq!(story.find(numbers[1]).await, None);
    story.github.break_pull(FORK, numbers[1], false);
    // The job tries it again by itself.
    until("it is seen", async || story.find(numbers[1]).await.is_some()).await;
    story.end().await;
}

#[tokio::test]
async fn when_the_limit_is_hit_it_is_left_alone_until_then_and_nothing_is_lost() {
    let story = Story::start().await;
    let numbers: Vec<i32> = (0..12).map(|_| story.open()).collect();
    // Enough for the list, the team and a few; the rest has to wait.
    story.github.limit(6, 3);
    ocim::pull_requests::sweep::sweep(&story.app.watch, chrono::TimeDelta::zero()).await.unwrap();
    until("the limit is known", async || story.app.number("SELECT count(*) AS n FROM github_pause").await == 1).await;
    let while_paused = story.github.asked().len();
    let refused =
        ocim::pull_requests::ask::update_instance(&story.app.watch, "test", shared_types::PullRequestId(1)).await;
    assert!(matches!(refused, Err(WatchError::Paused { .. } | WatchError::Refused(_))), "{refused:?}");
    assert!(story.github.asked().len() - while_paused <= 4, "no more than what was under way");
    story.github.limit(5000, 3600);
    for number in numbers {
        until("it is seen", async || story.find(number).await.is_some()).await;
    }
    story.end().await;
}

#[tokio::test]
async fn a_sweep_that_fails_says_why_and_the_next_one_takes_up_all() {
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
async fn nothing_new_costs_nothing() {
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
async fn an_operator_who_asks_is_told_what_github_says() {
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
    until("it may be asked again", async || operator.post(&path, json!({})).await.status == 200).await;
    story.end().await;
}

#[tokio::test]
async fn what_github_hides_for_a_moment_ends_nothing() {
    let story = Story::with(|settings| settings.watch_archive_minutes = 0).await;
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
