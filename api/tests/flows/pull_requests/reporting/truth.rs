//! GitHub shows “success” only for the commit that gets the traffic; it is withdrawn when another commit gets it.

use serde_json::{Value, json};

use super::{ALL, REPO, calls, ours, statuses, telling_all, until_deployed, until_said, until_status, watching};
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{GatedAnsible, TestApp, until};

async fn read(app: &TestApp) -> Value {
    app.viewer().await.get("/api/v1/pull-requests/1").await.expect(200)
}

async fn until_running(app: &TestApp, commit: &str) {
    until("the commit runs", async || read(app).await["running_commit"] == commit).await;
}

/// Changes the instance's settings as a person would.
async fn patch(app: &TestApp, change: Value) {
    let instance = app.read_instance(1).await;
    let (path, etag) = (instance["api_url"].as_str().unwrap(), instance["etag"].as_str().unwrap());
    app.operator().await.patch(path, etag, change).await.expect(200);
}

#[tokio::test]
async fn a_rollback_and_an_activation_by_hand_move_the_success() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let first = github.head(REPO, pull);
    until_status(&github, &first, "success").await;
    let second = github.push(REPO, pull);
    until_status(&github, &second, "success").await;
    until_status(&github, &first, "pending").await;
    until_running(&app, &second).await;

    let operator = app.operator().await;
    operator.post("/api/v1/instances/1/rollback", json!({})).await.expect(200);
    until_status(&github, &first, "success").await;
    until_status(&github, &second, "pending").await;
    until_deployed(&github, 1, "inactive").await;
    until_said(&github, pull, &format!("AppServer 1 has the traffic, with commit {first}")).await;
    until_running(&app, &first).await;
    // After the rollback the pull request's head moves back to the older commit, which is the one that runs.
    github.push_back(REPO, pull, &first);
    until("the new head is seen", async || read(&app).await["head_commit"] == first).await;

    app.activate(2).await.expect(200);
    until_status(&github, &second, "success").await;
    until_status(&github, &first, "pending").await;
    until_running(&app, &second).await;
    let made = calls(&github);
    assert!(made.len() <= 40, "{made:#?}");
    app.end().await;
}

#[tokio::test]
async fn a_commit_that_is_pushed_back_is_no_success_until_it_runs_again() {
    let github = FakeGithub::start().await;
    let ansible = GatedAnsible::new();
    let app = watching(&github, &github.base, ALL, Some(ansible.clone())).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let first = github.head(REPO, pull);
    ansible.let_go(1);
    until_status(&github, &first, "success").await;
    let second = github.push(REPO, pull);
    ansible.let_go(1);
    until_status(&github, &second, "success").await;
    until_status(&github, &first, "pending").await;
    github.push_back(REPO, pull, &first);
    until_said(&github, pull, &format!("**AppServer 3** is being built, with commit {first}")).await;
    assert_eq!(statuses(&github, &first).last().unwrap(), "pending");
    assert_eq!(statuses(&github, &second).last().unwrap(), "success", "it runs still");
    ansible.let_go(1);
    until_status(&github, &first, "success").await;
    until_status(&github, &second, "pending").await;
    app.end().await;
}

#[tokio::test]
async fn a_failed_newer_build_leaves_the_success_with_the_older_commit() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let first = github.head(REPO, pull);
    until_status(&github, &first, "success").await;
    for _ in 0..2 {
        app.ansible.next_run_fails("lms : migrate", "no table");
    }
    let second = github.push(REPO, pull);
    until_said(&github, pull, "AppServer 3** could not be built").await;
    until_status(&github, &second, "failure").await;
    assert_eq!(statuses(&github, &first).last().unwrap(), "success", "it runs still");
    assert_eq!(read(&app).await["running_commit"], json!(first));
    app.end().await;
}

#[tokio::test]
async fn settings_by_hand_that_choose_other_code_make_no_success() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let head = github.head(REPO, pull);
    until_status(&github, &head, "success").await;
    for (number, other) in [
        (2, json!({ "configuration_extra_settings": "edx_platform_version: master" })),
        (3, json!({ "configuration_extra_settings": "", "edx_platform_commit": "release-9" })),
    ] {
        patch(&app, other).await;
        let id = app.running(1).await;
        assert_eq!(id, number);
        app.activate(id).await.expect(200);
        until_said(&github, pull, &format!("**AppServer {id}** runs and has the traffic")).await;
        until_status(&github, &head, "pending").await;
        let body = ours(&github, pull).pop().unwrap().body;
        assert!(body.contains(&format!("Commit {head}, the head of the pull request, does not run here")), "{body}");
        assert_ne!(read(&app).await["running_commit"], json!(head));
    }
    // A branch was pinned to a commit; that commit runs.
    let pinned =
        app.text("SELECT commit AS text FROM app_server_pins WHERE app_server_id = 3 AND version = 'release-9'").await;
    until_running(&app, &pinned).await;
    app.activate(1).await.expect(200);
    until_status(&github, &head, "success").await;
    app.end().await;
}

#[tokio::test]
async fn an_archived_preview_of_an_open_pull_request_is_no_success() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let pull = github.open_pull(REPO, PullSpec::default());
    let head = github.head(REPO, pull);
    until_status(&github, &head, "success").await;
    app.operator().await.delete("/api/v1/instances/1?terminate=true").await.expect(200);
    until_status(&github, &head, "pending").await;
    assert_eq!(read(&app).await["running_commit"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn the_comment_names_a_heading_that_is_almost_right() {
    let github = FakeGithub::start().await;
    let app = telling_all(&github).await;
    let body = "### Settings\r\n```yaml\r\nA: 1\r\n```".to_owned();
    let pull = github.open_pull(REPO, PullSpec { body, ..PullSpec::default() });
    until_said(&github, pull, "line 1: This heading is almost **Settings**").await;
    github.edit_body(REPO, pull, "**Settings**\r\n```yaml\r\nA: 1\r\n```");
    until("the warning is gone", async || {
        let ours = ours(&github, pull);
        ours.iter().all(|one| !one.body.contains("almost")) && !ours.is_empty()
    })
    .await;
    app.end().await;
}
