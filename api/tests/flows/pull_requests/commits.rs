//! The effects of new commits and new descriptions.

use ocim::ansible::fake::FakeEnd;
use ocim::config::OnCommit;
use serde_json::{Value, json};

use super::{FORK, Story, settings};
use crate::app::github::PullSpec;
use crate::app::until;

#[tokio::test]
async fn by_default_a_new_commit_changes_nothing_until_an_update() {
    let story = Story::start().await;
    let number = story.open();
    let first = story.github.head(FORK, number);
    story.sweep().await;
    story.until_active(number).await;
    let second = story.github.push(FORK, number);
    story.sweep().await;
    let read = story.read(number).await;
    assert_eq!((&read["head_commit"], &read["is_applied"]), (&json!(second), &json!(false)));
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(first));
    // A new description is applied, a new commit is not.
    story.github.edit_body(FORK, number, &settings("A: 1"));
    story.sweep().await;
    assert_eq!(story.setting(number, "configuration_extra_settings").await, json!("A: 1\n"));
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(first));
    let path = format!("{}/update-instance", read["api_url"].as_str().unwrap());
    let updated = story.app.operator().await.post(&path, json!({})).await.expect(200);
    assert_eq!(updated["is_applied"], true);
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(second));
    assert_eq!(story.launches(story.instance(number).await).await, 1, "nothing was launched");
    story.end().await;
}

#[tokio::test]
async fn a_new_commit_updates_the_settings_if_the_rule_is_update() {
    let story = Story::that(OnCommit::Update).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let second = story.github.force_push(FORK, number);
    story.sweep().await;
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(second));
    assert_eq!(story.read(number).await["is_applied"], true);
    assert_eq!(story.launches(story.instance(number).await).await, 1);
    story.end().await;
}

#[tokio::test]
async fn a_rebuild_stops_the_older_build_and_activates_the_new_one() {
    let story = Story::that(OnCommit::Rebuild).await;
    story.app.ansible.next_run(FakeEnd::Blocks);
    let number = story.open();
    story.sweep().await;
    let instance = story.instance(number).await;
    let first = story.app.read_instance(instance).await["newest_appserver"]["id"].as_i64().unwrap();
    until("the build runs", async || story.app.read_app_server(first).await["progress"]["step"] == "playbooks").await;
    let second = story.github.push(FORK, number);
    story.sweep().await;
    story.until_active(number).await;
    assert_eq!(story.app.read_app_server(first).await["status"], "stopped");
    let active = story.app.read_instance(instance).await["active_appserver"]["id"].as_i64().unwrap();
    let built = story.app.read_app_server(active).await;
    assert_eq!(built["configuration"]["edx_platform_commit"], json!(second));
    assert_eq!(story.launches(instance).await, 2);
    story.end().await;
}

#[tokio::test]
async fn a_rebuild_locks_builds_before_their_instance_as_the_builds_themselves_do() {
    let story = Story::that(OnCommit::Rebuild).await;
    story.app.ansible.next_run(FakeEnd::Blocks);
    let number = story.open();
    story.sweep().await;
    let instance = story.instance(number).await;
    let first = story.app.read_instance(instance).await["newest_appserver"]["id"].as_i64().unwrap();
    until("the build runs", async || story.app.read_app_server(first).await["progress"]["step"] == "playbooks").await;
    // A step of the build, which locks its row and then the instance.
    let mut step = story.app.db.dedicated().await.unwrap();
    let mut execute = async |statement: &str| {
        diesel_async::RunQueryDsl::execute(diesel::sql_query(statement), &mut step).await.unwrap();
    };
    execute("SET lock_timeout = '5s'").await;
    execute("BEGIN").await;
    execute(&format!("SELECT 1 FROM builds WHERE app_server_id = {first} FOR UPDATE")).await;
    story.github.push(FORK, number);
    ocim::pull_requests::sweep::sweep(&story.app.watch, chrono::TimeDelta::zero()).await.unwrap();
    let waiting = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() \
        AND wait_event_type = 'Lock' AND query LIKE 'SELECT 1 FROM builds AS b JOIN app_servers%'";
    until("the rebuild waits for the build", async || story.app.number(waiting).await > 0).await;
    execute(&format!("SELECT 1 FROM instances WHERE id = {instance} FOR UPDATE")).await;
    execute("COMMIT").await;
    story.settled().await;
    story.until_active(number).await;
    assert_eq!(story.app.read_app_server(first).await["status"], "stopped");
    drop(step);
    story.end().await;
}

#[tokio::test]
async fn settings_changed_by_hand_stay_until_the_pull_request_changes() {
    let story = Story::that(OnCommit::Update).await;
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let instance = story.whole(number).await;
    let patch = json!({ "configuration_extra_settings": "BY_HAND: true" });
    let path = instance["api_url"].as_str().unwrap().to_owned();
    story.app.operator().await.patch(&path, instance["etag"].as_str().unwrap(), patch).await.expect(200);
    // A change at GitHub that does not change the settings.
    story.github.edit_title(FORK, number, "Another title");
    story.sweep_whole().await;
    assert_eq!(story.setting(number, "configuration_extra_settings").await, json!("BY_HAND: true"));
    story.github.push(FORK, number);
    story.sweep().await;
    assert_eq!(story.setting(number, "configuration_extra_settings").await, json!(""));
    story.end().await;
}

#[tokio::test]
async fn an_invalid_description_changes_nothing_and_its_line_is_named() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, PullSpec { body: settings("A: 1"), ..PullSpec::default() });
    story.sweep().await;
    story.until_active(number).await;
    for (yaml, words) in [
        ("A: 2\r\nB: [1", "line"),
        ("ansible_connection: local", "ansible_connection"),
        ("A: \"{{ lookup('pipe', 'id') }}\"", "template"),
        ("edx_ansible_source_repo: https://evil.example/x.git", "evil.example"),
    ] {
        story.github.edit_body(FORK, number, &settings(yaml));
        story.sweep().await;
        let trouble = story.read(number).await["settings_trouble"].as_str().unwrap().to_owned();
        assert!(trouble.starts_with("line ") && trouble.contains(words), "{yaml}: {trouble}");
        assert_eq!(story.setting(number, "configuration_extra_settings").await, json!("A: 1\n"));
        let path = format!("{}/update-instance", story.read(number).await["api_url"].as_str().unwrap());
        story.app.operator().await.post(&path, json!({})).await.problem(409);
    }
    story.github.edit_body(FORK, number, &settings("A: 3"));
    story.sweep().await;
    assert_eq!(story.read(number).await["settings_trouble"], Value::Null);
    assert_eq!(story.setting(number, "configuration_extra_settings").await, json!("A: 3\n"));
    story.end().await;
}

#[tokio::test]
async fn a_deleted_source_repository_is_reported_and_the_instance_kept() {
    let story = Story::that(OnCommit::Rebuild).await;
    let (kept, lost) =
        (story.open(), story.github.open_pull(FORK, PullSpec { author: "grace".into(), ..PullSpec::default() }));
    story.github.delete_repository("grace/edx-platform");
    story.sweep().await;
    let read = story.read(lost).await;
    assert_eq!((&read["fork_name"], &read["instance"]), (&Value::Null, &Value::Null));
    story.until_active(kept).await;
    story.github.delete_repository("ada/edx-platform");
    story.sweep_whole().await;
    let read = story.read(kept).await;
    let path = format!("{}/update-instance", read["api_url"].as_str().unwrap());
    let refused = story.app.operator().await.post(&path, json!({})).await.problem(409);
    assert!(refused["detail"].as_str().unwrap().len() > 20, "{refused}");
    assert_eq!(read["instance"]["active_appserver"]["serving"], "active");
    story.end().await;
}
