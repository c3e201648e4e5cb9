//! Pull requests of people outside the team.

use serde_json::{Value, json};

use super::{FORK, Story, settings};
use crate::app::github::PullSpec;

fn outsider() -> PullSpec {
    PullSpec { author: "mallory".into(), ..PullSpec::default() }
}

/// The body of an approval for exactly this state of the pull request.
fn looked_at(read: &Value) -> Value {
    json!({ "commit": read["head_commit"], "version": read["version"] })
}

#[tokio::test]
async fn an_outsiders_commit_runs_only_after_its_approval() {
    let story = Story::that(ocim::config::OnCommit::Rebuild).await;
    let number = story.github.open_pull(FORK, outsider());
    story.sweep().await;
    let read = story.read(number).await;
    assert_eq!((&read["approval"], &read["instance"]), (&json!("needed"), &Value::Null));
    let operator = story.app.operator().await;
    let path = read["api_url"].as_str().unwrap().to_owned();
    let update = operator.post(&format!("{path}/update-instance"), json!({})).await.problem(409);
    assert!(update["detail"].as_str().unwrap().contains("approve"), "{update}");
    // An approval of another commit is refused.
    let other = json!({ "commit": "0".repeat(40), "version": read["version"] });
    operator.post(&format!("{path}/approve"), other).await.problem(409);
    let seen = looked_at(&read);
    for verb in ["approve", "ignore"] {
        let without = operator.post(&format!("{path}/{verb}"), json!({ "commit": read["head_commit"] })).await;
        assert!(without.field_error("/version").starts_with("Say which version you have reviewed"));
    }
    story.app.viewer().await.post(&format!("{path}/approve"), seen.clone()).await.problem(403);
    let approved = operator.post(&format!("{path}/approve"), seen.clone()).await.expect(200);
    assert_eq!(approved["approval"], "approved");
    story.until_active(number).await;
    let instance = story.instance(number).await;
    // A new commit needs a new approval.
    let second = story.github.push(FORK, number);
    story.sweep().await;
    let waits = story.read(number).await;
    assert_eq!(
        (&waits["approval"], &waits["is_applied"], &waits["head_commit"]),
        (&json!("needed"), &json!(false), &json!(second))
    );
    assert_eq!(story.launches(instance).await, 1);
    assert_ne!(story.setting(number, "edx_platform_commit").await, json!(second));
    operator.post(&format!("{path}/approve"), seen).await.problem(409);
    operator
        .post(&format!("{path}/approve"), json!({ "commit": second, "version": waits["version"] }))
        .await
        .expect(200);
    story.until_active(number).await;
    assert_eq!(story.launches(instance).await, 2);
    assert_eq!(story.setting(number, "edx_platform_commit").await, json!(second));
    story.end().await;
}

#[tokio::test]
async fn on_local_machines_an_outsiders_commit_is_not_approved() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, outsider());
    story.sweep().await;
    story.app.provider.set_called_local(true);
    let read = story.read(number).await;
    let obstacle = read["approval_obstacle"].as_str().unwrap();
    assert!(obstacle.contains("OCIM_LOCAL_MACHINES_FOR_STRANGERS"), "{obstacle}");
    let path = read["api_url"].as_str().unwrap().to_owned();
    let operator = story.app.operator().await;
    let refused = operator.post(&format!("{path}/approve"), looked_at(&read)).await.problem(409);
    assert_eq!(refused["detail"], obstacle);
    assert_eq!(story.read(number).await["approval"], "needed");
    // Machines elsewhere: the control.
    story.app.provider.set_called_local(false);
    let read = story.read(number).await;
    assert_eq!(read["approval_obstacle"], Value::Null);
    operator.post(&format!("{path}/approve"), looked_at(&read)).await.expect(200);
    story.end().await;
}

#[tokio::test]
async fn settings_that_change_after_the_approval_need_another_one() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, outsider());
    story.sweep().await;
    let read = story.read(number).await;
    let path = read["api_url"].as_str().unwrap().to_owned();
    let operator = story.app.operator().await;
    let seen = looked_at(&read);
    // The settings change while the operator reviews them.
    story.github.edit_body(FORK, number, &settings("A: 1"));
    story.sweep().await;
    operator.post(&format!("{path}/approve"), seen).await.problem(409);
    let now = story.read(number).await;
    let seen = looked_at(&now);
    operator.post(&format!("{path}/approve"), seen).await.expect(200);
    story.until_active(number).await;
    story.github.edit_body(FORK, number, &settings("A: 2"));
    story.sweep().await;
    assert_eq!(story.read(number).await["approval"], "needed");
    assert_eq!(story.setting(number, "configuration_extra_settings").await, json!("A: 1\n"));
    story.end().await;
}

#[tokio::test]
async fn an_ignored_commit_stays_ignored_and_the_next_one_asks_again() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, outsider());
    story.sweep().await;
    let read = story.read(number).await;
    let path = read["api_url"].as_str().unwrap().to_owned();
    let operator = story.app.operator().await;
    let ignored = operator.post(&format!("{path}/ignore"), looked_at(&read)).await.expect(200);
    assert_eq!((&ignored["approval"], &ignored["instance"]), (&json!("ignored"), &Value::Null));
    let waiting = "/api/v1/pull-requests?needs_approval=true";
    assert_eq!(operator.get(waiting).await.expect(200)["items"], json!([]));
    story.github.push(FORK, number);
    story.sweep().await;
    assert_eq!(operator.get(waiting).await.expect(200)["items"][0]["github_pr_number"], json!(number));
    story.end().await;
}

#[tokio::test]
async fn team_members_are_trusted_with_their_own_repositories_only() {
    let story = Story::start().await;
    // A member opens a pull request from another person's repository, whose owner may push to it at any time.
    let spec = PullSpec { fork: Some("mallory/edx-platform".into()), ..PullSpec::default() };
    let foreign = story.github.open_pull(FORK, spec);
    let own = story.github.open_pull(FORK, PullSpec { fork: Some(FORK.into()), ..PullSpec::default() });
    let colleagues =
        story.github.open_pull(FORK, PullSpec { fork: Some("grace/edx-platform".into()), ..PullSpec::default() });
    story.sweep().await;
    assert_eq!(story.read(foreign).await["approval"], "needed");
    assert_eq!(story.read(own).await["approval"], "not_needed");
    assert_eq!(story.read(colleagues).await["approval"], "not_needed");
    let seen = looked_at(&story.read(own).await);
    let path = story.read(own).await["api_url"].as_str().unwrap().to_owned();
    story.app.operator().await.post(&format!("{path}/approve"), seen).await.problem(409);
    story.end().await;
}

#[tokio::test]
async fn without_an_organization_no_author_is_trusted() {
    let story = Story::with(|settings| settings.watch.watch_organization = String::new()).await;
    let number = story.open();
    story.sweep().await;
    assert_eq!(story.read(number).await["approval"], "needed");
    story.end().await;
}
