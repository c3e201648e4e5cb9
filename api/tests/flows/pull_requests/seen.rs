//! A pull request that the program sees for the first time.

use serde_json::{Value, json};

use super::{FORK, Story, settings};
use crate::app::github::PullSpec;
use crate::app::until;

#[tokio::test]
async fn a_new_pull_request_gets_an_instance_which_is_built_and_activated() {
    let story = Story::start().await;
    let body = settings(
        "EDXAPP_FEATURES:\r\n  ENABLE_NOTES: yes\r\n\r\nedx_ansible_source_repo: https://git.example/configuration\r\nconfiguration_version: teak",
    );
    let spec = PullSpec {
        title: "Show the grade beside the name".into(),
        branch: "grades".into(),
        body,
        ..PullSpec::default()
    };
    let number = story.github.open_pull(FORK, spec);
    let head = story.github.head(FORK, number);
    story.sweep().await;
    story.until_active(number).await;
    let read = story.read(number).await;
    let expected = json!({
        "repository": FORK,
        "github_pr_url": format!("https://github.com/{FORK}/pull/{number}"),
        "title": "Show the grade beside the name",
        "author": "ada",
        "state": "open",
        "fork_name": "ada/edx-platform",
        "branch_name": "grades",
        "head_commit": head,
        "approval": "not_needed",
        "is_applied": true,
        "trouble": null,
        "settings_trouble": null,
        "settings_warnings": [],
        "running_commit": head,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&read[name], value, "{name}");
    }
    let instance = story.whole(number).await;
    let expected = json!({
        "name": format!("PR#{number}: Show the grade beside… (ada) - ada/grades ({})", &head[..7]),
        "sub_domain": format!("pr{number}.sandbox"),
        "tier": "preview",
        "edx_platform_repository_url": "https://github.com/ada/edx-platform.git",
        "edx_platform_commit": head,
        "configuration_source_repo_url": "https://git.example/configuration.git",
        "configuration_version": "teak",
        "use_ephemeral_databases": true,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&instance[name], value, "{name}");
    }
    let extra = instance["configuration_extra_settings"].as_str().unwrap();
    assert!(extra.starts_with("EDXAPP_FEATURES:\n  ENABLE_NOTES: yes\n\nedx_ansible"), "{extra:?}");
    let source = &instance["source_pr"];
    assert_eq!((&source["id"], &source["github_pr_number"]), (&read["id"], &json!(number)));
    let newest = &instance["appservers"][0];
    let expected = json!({
        "trigger": "pull_request",
        "requested_by": format!("pull request {FORK}#{number}"),
        "num_attempts": 2,
        "serving": "active",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&newest[name], value, "{name}");
    }
    // A second sweep changes nothing.
    story.sweep().await;
    story.sweep_whole().await;
    assert_eq!(story.launches(story.instance(number).await).await, 1);
    story.end().await;
}

#[tokio::test]
async fn a_failed_build_of_a_pull_request_is_retried_once() {
    let story = Story::start().await;
    for _ in 0..2 {
        story.app.ansible.next_run_fails("edxapp : install", "no room");
    }
    let number = story.open();
    story.sweep().await;
    let instance = story.instance(number).await;
    until("both attempts are over", async || {
        let failed =
            format!("SELECT count(*) AS n FROM app_servers WHERE instance_id = {instance} AND status = 'failed'");
        story.app.number(&failed).await == 2
    })
    .await;
    story.sweep_whole().await;
    let read = story.read(number).await;
    assert_eq!(read["instance"]["active_appserver"], Value::Null);
    assert_eq!(story.launches(instance).await, 2, "there is no third attempt");
    story.end().await;
}

#[tokio::test]
async fn the_second_attempt_may_succeed_and_is_activated() {
    let story = Story::start().await;
    story.app.ansible.next_run_fails("edxapp : install", "no room");
    let number = story.open();
    story.sweep().await;
    story.until_active(number).await;
    let instance = story.whole(number).await;
    assert_eq!(instance["active_appserver"]["attempt"], 2);
    story.end().await;
}

#[tokio::test]
async fn any_title_becomes_one_harmless_name() {
    let story = Story::start().await;
    let nasty = [
        "x".repeat(10_000),
        "\"quotes\" 'and' : colons # and {{ lookup('pipe', 'id') }} {% raw %}".into(),
        "two\nlines\r\nand \u{0} a null".into(),
        "\u{202e}backwards\u{2066} and \u{200f}marks".into(),
        "<script>alert(1)</script>".into(),
        "--upload-pack=/bin/sh ../../etc".into(),
        String::new(),
    ];
    let mut numbers = Vec::new();
    for title in &nasty {
        let branch = "feature/--x;$(id)".into();
        numbers.push(story.github.open_pull(FORK, PullSpec { title: title.clone(), branch, ..PullSpec::default() }));
    }
    story.sweep().await;
    for (number, title) in numbers.into_iter().zip(&nasty) {
        story.until_active(number).await;
        let instance = story.whole(number).await;
        let name = instance["name"].as_str().unwrap();
        assert!(name.starts_with(&format!("PR#{number}: ")) && name.chars().count() <= 250, "{name}");
        assert!(!name.chars().any(|c| c.is_control() || "\u{202e}\u{2066}\u{200f}".contains(c)), "{title:?}: {name:?}");
        let newest = instance["appservers"][0]["id"].as_i64().unwrap();
        let built = story.app.read_app_server(newest).await;
        let variables: Value = serde_norway(built["configuration_settings"].as_str().unwrap());
        assert_eq!(variables["EDXAPP_PLATFORM_NAME"], name, "the variable is the name, whole");
    }
    story.end().await;
}

fn serde_norway(yaml: &str) -> Value {
    shared_types::yaml::parse(yaml).unwrap()
}

#[tokio::test]
async fn drafts_and_empty_descriptions_get_an_instance() {
    let story = Story::start().await;
    let number = story.github.open_pull(FORK, PullSpec { is_draft: true, body: String::new(), ..PullSpec::default() });
    story.sweep().await;
    story.until_active(number).await;
    let read = story.read(number).await;
    assert_eq!((&read["is_draft"], &read["extra_settings"]), (&json!(true), &json!("")));
    story.github.set_draft(FORK, number, false);
    story.sweep().await;
    assert_eq!(story.read(number).await["is_draft"], false);
    assert_eq!(story.launches(story.instance(number).await).await, 1);
    story.end().await;
}
