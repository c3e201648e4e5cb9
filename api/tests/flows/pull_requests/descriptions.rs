//! Descriptions are read as GitHub stores them, and parts that cannot be read are reported.

use serde_json::{Value, json};

use super::{FORK, Story, settings};
use crate::app::github::PullSpec;

#[tokio::test]
async fn tabs_and_invisible_characters_reach_the_instance() {
    let story = Story::start().await;
    let yaml = "MAKE: |\r\n  all:\r\n  \tgcc x\r\nNAME: \"א\u{200f}\u{202e}ב\u{200b}\"";
    let number = story.github.open_pull(FORK, PullSpec { body: settings(yaml), ..PullSpec::default() });
    story.sweep().await;
    story.until_active(number).await;
    let expected = json!(format!("{}\n", yaml.replace("\r\n", "\n")));
    assert_eq!(story.setting(number, "configuration_extra_settings").await, expected);
    assert_eq!(story.read(number).await["extra_settings"], expected);
    story.github.edit_body(FORK, number, &settings("A:\r\n B:\r\n\tC: 1"));
    story.sweep().await;
    let trouble = story.read(number).await["settings_trouble"].as_str().unwrap().to_owned();
    assert!(trouble.starts_with("line 7") && trouble.contains("tab"), "{trouble}");
    assert_eq!(story.setting(number, "configuration_extra_settings").await, expected, "nothing changed");
    story.end().await;
}

/// The version before stored descriptions without tabs and invisible marks.
#[tokio::test]
async fn what_was_approved_stays_approved_where_tabs_set_nothing() {
    let story = Story::start().await;
    let spec = |yaml: &str| PullSpec { author: "mallory".into(), body: settings(yaml), ..PullSpec::default() };
    let (same, other) = (
        story.github.open_pull(FORK, spec("A: 1 #\tone\u{200e}")),
        story.github.open_pull(FORK, spec("A: |\r\n  x\ty")),
    );
    story.sweep().await;
    let formerly = "UPDATE pull_requests SET decision = 'approved', decided_version = version, \
        extra_settings = replace(replace(extra_settings, E'\\t', ' '), E'\\u200e', '')";
    story.app.execute(formerly).await;
    for number in [same, other] {
        story.github.edit_title(FORK, number, "Another title");
    }
    story.sweep().await;
    let (same, other) = (story.read(same).await, story.read(other).await);
    assert_eq!((&same["version"], &same["approval"]), (&json!(1), &json!("approved")));
    assert_eq!(same["extra_settings"], "A: 1 #\tone\u{200e}\n", "what is shown is what GitHub has");
    assert_eq!((&other["version"], &other["approval"]), (&json!(2), &json!("needed")), "a text has a tab now");
    story.end().await;
}

#[tokio::test]
async fn a_heading_that_is_almost_right_is_named_and_nothing_is_set() {
    let story = Story::start().await;
    let body = settings("A: 1").replace("**Settings**", "**Settings:**");
    let number = story.github.open_pull(FORK, PullSpec { body, ..PullSpec::default() });
    story.sweep().await;
    story.until_active(number).await;
    let read = story.read(number).await;
    assert_eq!((&read["extra_settings"], &read["settings_trouble"]), (&json!(""), &Value::Null));
    let warning = &read["settings_warnings"][0];
    assert_eq!((&warning["line"], &warning["pointer"]), (&json!(3), &json!("/extra_settings")));
    assert!(warning["detail"].as_str().unwrap().contains("almost **Settings**"), "{warning}");
    story.github.edit_body(FORK, number, &settings("A: 1"));
    story.sweep().await;
    let read = story.read(number).await;
    assert_eq!((&read["extra_settings"], &read["settings_warnings"]), (&json!("A: 1\n"), &json!([])));
    story.end().await;
}

#[tokio::test]
async fn a_description_cannot_choose_other_code_than_the_head_commit() {
    let story = Story::start().await;
    let yaml = "edx_platform_repo: https://github.com/example/edx-platform.git\r\n\
        edx_platform_version: '0123456789abcdef0123456789abcdef01234567'";
    let number = story.github.open_pull(FORK, PullSpec { body: settings(yaml), ..PullSpec::default() });
    story.sweep().await;
    let read = story.read(number).await;
    let trouble = read["settings_trouble"].as_str().unwrap();
    for words in ["line 5", "`edx_platform_repo`", "head commit", "Remove the line"] {
        assert!(trouble.contains(words), "{words}: {trouble}");
    }
    assert_eq!(read["instance"], Value::Null, "nothing is built");
    story.end().await;
}
