use serde_json::json;
use shared_types::Role;

use super::Shell;
use crate::app::TestApp;

#[tokio::test]
async fn control_characters_are_escaped_on_the_terminal() {
    let app = TestApp::start().await;
    let evil = "evil\u{1b}[2J\u{9b}31m\nname\u{202e}";
    let body = json!({ "name": evil, "sub_domain": "demo" });
    app.operator().await.post("/api/v1/instances", body).await.expect(201);
    app.ansible.next_run_fails("\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}", "first\n2026-11-25 forged");
    app.built(1).await;
    let shell = Shell::of(&app, Role::Viewer).await;
    for arguments in [
        &["instance", "list"][..],
        &["instance", "show", "1"],
        &["instance", "list", "-o", "json"],
        &["app-server", "show", "1"],
        &["app-server", "list"],
        &["app-server", "logs", "1"],
        &["app-server", "logs", "1", "-o", "json"],
        &["app-server", "logs", "1", "-f", "-o", "json"],
    ] {
        let ran = shell.run(arguments).await;
        let active = ran.expect(0).chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(active, None, "{arguments:?} {ran:?}");
    }
    assert_eq!(shell.run(&["instance", "list", "-o", "json"]).await.json()[0]["name"], evil, "JSON says what it was");
    assert!(shell.run(&["instance", "list"]).await.expect(0).contains("evil\\u{1b}[2J\\u{9b}31m\\nname\\u{202e}"));
    let log = shell.run(&["app-server", "logs", "1"]).await;
    assert!(log.expect(0).contains("red\\u{1b}]0;title\\u{7}"), "{log:?}");
    assert!(
        !log.stdout.lines().any(|line| line.starts_with("2026-11-25 forged")),
        "no line passes for another: {log:?}"
    );
    let missing = shell.run(&["instance", "show", "\u{1b}[2J"]).await;
    assert!(missing.refused(4).contains("\\u{1b}[2J"), "{missing:?}");
    app.end().await;
}

#[tokio::test]
async fn completions_are_printed_and_the_help_lists_exit_codes() {
    let shell = Shell::new();
    for name in ["bash", "zsh", "fish"] {
        let script = shell.run(&["completion", name]).await;
        assert!(script.expect(0).contains("app-server") && script.stdout.contains("when-running"), "{name}");
    }
    shell.run(&["completion", "tcsh"]).await.refused(2);
    let help = shell.run(&["--help"]).await;
    assert!(help.expect(0).contains("EXIT CODES") && help.stdout.contains("130  interrupted by Ctrl-C"), "{help:?}");
    let help = shell.run(&["app-server", "launch", "--help"]).await;
    assert!(
        help.expect(0).contains("does not count as a failed build") && help.stdout.contains("EXAMPLES"),
        "{help:?}"
    );
}
