//! Pull requests that are closed, expired, or reopened.

use ocim::ansible::fake::FakeEnd;
use serde_json::{Value, json};

use super::{FORK, Story};
use crate::app::until;

#[tokio::test]
async fn closing_archives_the_instance_and_reopening_restores_it() {
    let story = Story::with(|settings| settings.watch.watch_archive_minutes = 0).await;
    let (closed, merged) = (story.open(), story.open());
    story.sweep().await;
    for number in [closed, merged] {
        story.until_active(number).await;
    }
    let (one, other) = (story.instance(closed).await, story.instance(merged).await);
    story.github.close(FORK, closed);
    story.github.merge(FORK, merged);
    story.sweep().await;
    assert_eq!(story.read(closed).await["state"], "closed");
    assert_eq!(story.read(merged).await["state"], "merged");
    story.until_archived(one).await;
    story.until_archived(other).await;
    story.github.reopen(FORK, closed);
    story.sweep().await;
    story.until_active(closed).await;
    let read = story.read(closed).await;
    assert_eq!((&read["instance"]["id"], &read["instance"]["archived_at"]), (&json!(one), &Value::Null));
    assert_eq!(story.launches(one).await, 2);
    story.end().await;
}

#[tokio::test]
async fn reopening_within_the_delay_keeps_the_instance_as_it_was() {
    let story = Story::start().await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    story.github.close(FORK, number);
    story.sweep().await;
    let read = story.read(number).await;
    assert!(read["archives_at"].is_string(), "{read:#}");
    assert_eq!(read["instance"]["archived_at"], Value::Null);
    story.github.reopen(FORK, number);
    story.sweep().await;
    let read = story.read(number).await;
    assert_eq!(read["archives_at"], Value::Null);
    assert_eq!(story.launches(story.instance(number).await).await, 1);
    story.end().await;
}

#[tokio::test]
async fn closing_stops_a_running_build_before_archiving_the_instance() {
    let story = Story::with(|settings| settings.watch.watch_archive_minutes = 0).await;
    story.app.ansible.next_run(FakeEnd::Blocks);
    let number = story.open();
    story.sweep().await;
    let instance = story.instance(number).await;
    let build = story.app.read_instance(instance).await["newest_appserver"]["id"].as_i64().unwrap();
    until("the build runs", async || story.app.read_app_server(build).await["progress"]["step"] == "playbooks").await;
    story.github.close(FORK, number);
    story.sweep().await;
    story.until_archived(instance).await;
    assert_eq!(story.app.read_app_server(build).await["status"], "stopped");
    story.end().await;
}

#[tokio::test]
async fn an_inactive_pull_request_is_archived_until_its_next_change() {
    let story = Story::with(|settings| settings.watch.watch_ttl_days = 30).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let instance = story.instance(number).await;
    story.app.execute("UPDATE pull_requests SET github_updated = now() - interval '31 days'").await;
    story.until_archived(instance).await;
    story.github.push(FORK, number);
    story.sweep().await;
    story.until_active(number).await;
    assert_eq!(story.instance(number).await, instance);
    story.end().await;
}

#[tokio::test]
async fn an_instance_archived_by_a_person_is_not_restored_by_a_push() {
    let story = Story::start().await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let path = story.whole(number).await["api_url"].as_str().unwrap().to_owned();
    story.app.operator().await.delete(&format!("{path}?terminate=true")).await.expect(200);
    story.github.push(FORK, number);
    story.sweep_whole().await;
    assert!(story.whole(number).await["archived_at"].is_string());
    assert_eq!(story.launches(story.instance(number).await).await, 1);
    story.end().await;
}

#[tokio::test]
async fn a_pull_request_closed_before_the_first_sweep_gets_no_instance() {
    let story = Story::start().await;
    let number = story.open();
    story.github.close(FORK, number);
    story.sweep().await;
    story.sweep_whole().await;
    assert_eq!(story.find(number).await, None);
    story.end().await;
}

#[tokio::test]
async fn a_renamed_repository_is_followed() {
    let story = Story::that(ocim::config::OnCommit::Update).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    story.github.rename_repository(FORK, "newcorp/platform");
    let commit = story.github.push("newcorp/platform", number);
    story.sweep().await;
    let read = story.read(number).await;
    assert_eq!(read["repository"], "newcorp/platform");
    assert_eq!(read["github_pr_url"], format!("https://github.com/newcorp/platform/pull/{number}"));
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(commit));
    story.end().await;
}

#[tokio::test]
async fn databases_that_ocim_made_for_a_preview_end_with_it_and_no_others() {
    let story = Story::with(|settings| settings.watch.watch_archive_minutes = 0).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let preview = story.instance(number).await;
    let other = story.app.instance("other").await;
    for (id, name) in [(preview, "p"), (other, "o")] {
        story
            .app
            .execute(&format!(
                "INSERT INTO resources (instance_id, kind, part, name, class, server, place, remote_name, state) VALUES \
                 ({id}, 'mysql', 'account', 'account', 'made', 'main', NULL, 'a{name}', 'present'), \
                 ({id}, 'mysql', 'database', 'main', 'made', 'main', NULL, 'd{name}', 'present'), \
                 ({id}, 'mongodb', 'account', 'account', 'given', NULL, '{{}}', 'g{name}', 'present')"
            ))
            .await;
    }
    story.github.close(FORK, number);
    story.sweep().await;
    story.until_archived(preview).await;
    let due =
        "SELECT coalesce(string_agg(remote_name, ' ' ORDER BY id), '') AS text FROM resources WHERE state = 'deleting'";
    assert_eq!(story.app.text(due).await, "ap dp", "not what was entered, and nothing of the other instance");
    story.end().await;
}
