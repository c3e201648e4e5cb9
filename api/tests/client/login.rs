use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::json;
use shared_types::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{PASSWORD, Ran, Shell, user};
use crate::app::TestApp;

/// The content of the file with the stored token.
fn kept(shell: &Shell) -> String {
    std::fs::read_to_string(shell.home().join("config/ocim/client.toml")).unwrap()
}

fn token(shell: &Shell) -> String {
    let text = kept(shell);
    let line = text.lines().find_map(|line| line.strip_prefix("token = ")).unwrap();
    line.trim_matches('"').to_owned()
}

const TOKENS: &str = "SELECT count(*) AS n FROM api_tokens";

#[tokio::test]
async fn a_password_becomes_a_token_that_only_its_owner_can_read_and_no_session_stays() {
    let app = TestApp::idle().await;
    user(&app, "ann", Role::Operator).await;
    let shell = Shell::new();
    let base = app.anonymous().base().to_owned();
    let login = ["login", "--server", &base, "--username", "ann"];
    let ran = shell.run_with_input(&login, &format!("{PASSWORD}\n")).await;
    assert!(ran.expect(0).starts_with(&format!("Signed in at {base} as ann. The token «ocim CLI on ")), "{ran:?}");
    assert!(!ran.stdout.contains(&token(&shell)) && !ran.stderr.contains(PASSWORD));
    let mode = |path: &str| std::fs::metadata(shell.home().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("config/ocim"), mode("config/ocim/client.toml")), (0o700, 0o600));
    assert_eq!(std::fs::read_dir(shell.home().join("config/ocim")).unwrap().count(), 1, "no other file is left");
    assert_eq!(app.number("SELECT count(*) AS n FROM sessions").await, 0);
    shell.run(&["instance", "create", "--name", "Demo", "--sub-domain", "demo"]).await.expect(0);
    assert_eq!(shell.run(&["instance", "list", "-o", "json"]).await.json()[0]["domain"], "demo.localhost");
    // Signing in again revokes the previous token.
    let first = token(&shell);
    shell.run_with_input(&login, &format!("{PASSWORD}\n")).await.expect(0);
    assert_ne!(token(&shell), first);
    let late = Shell::new().with("OCIM_SERVER", &base).with("OCIM_TOKEN", &first);
    assert!(late.run(&["instance", "list"]).await.refused(3).starts_with("ocim: Sign in first: "));
    app.end().await;
}

#[tokio::test]
async fn logout_deletes_the_token_here_and_at_the_server() {
    let app = TestApp::idle().await;
    user(&app, "ann", Role::Viewer).await;
    let shell = Shell::new().with("OCIM_SERVER", app.anonymous().base());
    shell.run_with_input(&["login", "--username", "ann"], PASSWORD).await.expect(0);
    let secret = token(&shell);
    assert!(shell.run(&["logout"]).await.expect(0).contains("the token works no more"));
    assert!(!shell.home().join("config/ocim/client.toml").exists());
    assert!(shell.run(&["instance", "list"]).await.refused(3).contains("Run `ocim login`"));
    assert!(shell.run(&["logout"]).await.refused(3).contains("Not signed in"));
    shell.with("OCIM_TOKEN", &secret).run(&["instance", "list"]).await.refused(3);
    app.end().await;
}

#[tokio::test]
async fn a_token_has_the_role_and_the_scopes_it_was_asked_for() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    user(&app, "ann", Role::Operator).await;
    let shell = Shell::new().with("OCIM_SERVER", app.anonymous().base());
    let login = async |more: &[&str]| {
        let all = [&["login", "--username", "ann", "-o", "json"], more].concat();
        shell.run_with_input(&all, PASSWORD).await
    };
    let made = login(&["--scopes", "read,activate", "--expires-in-days", "7"]).await.json();
    assert_eq!((&made["role"], &made["scopes"]), (&json!("operator"), &json!(["read", "activate"])));
    assert!(shell.run(&["app-server", "launch", "1"]).await.refused(3).contains("scope deploy"));
    assert_eq!(login(&["--role", "viewer"]).await.json()["role"], "viewer");
    assert!(shell.run(&["app-server", "launch", "1"]).await.refused(3).starts_with("ocim: Not allowed: "));
    // A role above one's own is refused, and the stored token stays.
    let problem = login(&["--role", "admin"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(problem.refused(5)).unwrap()["errors"][0]["pointer"], "/role");
    shell.run(&["instance", "list"]).await.expect(0);
    assert_eq!(app.number("SELECT count(*) AS n FROM sessions").await, 0);
    for wrong in [["--scopes", "all"], ["--role", "root"], ["--expires-in-days", "366"]] {
        login(&wrong).await.refused(2);
    }
    app.end().await;
}

#[tokio::test]
async fn a_failed_login_stores_nothing() {
    let app = TestApp::idle().await;
    user(&app, "ann", Role::Viewer).await;
    let viewer = app.viewer().await;
    let shell = Shell::new();
    let server = ["--server", viewer.base()];
    let run = async |arguments: &[&str], input: &str| {
        shell.run_with_input(&[&["login"], &server[..], arguments].concat(), input).await
    };
    assert!(run(&["--username", "ann"], "wrong\n").await.refused(3).contains("User name or password is wrong."));
    assert!(run(&["--with-token"], "wrong\n").await.refused(3).contains("Sign in first"));
    assert!(run(&["--username", "ann"], "").await.refused(2).contains("standard input is empty"));
    assert!(run(&[], PASSWORD).await.refused(2).contains("--username"));
    assert!(!shell.home().join("config").exists());
    let tokens = app.number(TOKENS).await;
    run(&["--with-token"], &format!("{}\n", viewer.token())).await.expect(0);
    shell.run(&["instance", "list"]).await.expect(0);
    assert!(shell.run(&["logout"]).await.expect(0).contains("goes on working"));
    assert_eq!(app.number(TOKENS).await, tokens);
    app.end().await;
}

#[tokio::test]
async fn a_stored_token_is_sent_to_its_server_only() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    let shell = Shell::new();
    shell.run_with_input(&["login", "--server", viewer.base(), "--with-token"], viewer.token()).await.expect(0);
    let other = super::proxy::Proxy::start(viewer.base()).await;
    let shell = shell.with("OCIM_SERVER", other.base());
    assert!(shell.run(&["instance", "list"]).await.refused(3).contains("The token that is kept is for "));
    // The token of the environment belongs to the server of the environment.
    shell.with("OCIM_TOKEN", viewer.token()).run(&["instance", "list"]).await.expect(0);
    app.end().await;
}

/// Signs in on a terminal and types `input` at the password prompt. Gives the terminal's output and the result.
async fn typed(shell: &Shell, base: &str, input: &str) -> (String, Ran) {
    let login = format!("{} login --server {base} --username ann", env!("CARGO_BIN_EXE_ocim"));
    let mut command = shell.command("script", &["-qec", &login, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("Password: ") {
        assert_ne!(
            screen.read_buf(&mut shown).await.unwrap(),
            0,
            "it did not ask: {}",
            String::from_utf8_lossy(&shown)
        );
    }
    keyboard.write_all(input.as_bytes()).await.unwrap();
    // An error means that the terminal was closed.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(30), screen.read_to_end(&mut shown)).await;
    drop(keyboard);
    (String::from_utf8(shown).unwrap(), Ran::of(child).await)
}

#[tokio::test]
async fn a_terminal_does_not_show_the_password_and_ctrl_c_keeps_nothing() {
    let app = TestApp::idle().await;
    user(&app, "ann", Role::Viewer).await;
    let shell = Shell::new().with("PATH", "/usr/bin:/bin").with("SHELL", "/bin/sh");
    let base = app.anonymous().base().to_owned();
    let (shown, ran) = typed(&shell, &base, "\u{3}").await;
    assert!(shown.contains("interrupted; nothing was kept"), "{shown}");
    assert_eq!(ran.code, 130, "{shown}");
    assert!(!shell.home().join("config").exists());
    let (shown, ran) = typed(&shell, &base, &format!("{PASSWORD}\n")).await;
    assert!(shown.contains("Signed in at") && !shown.contains(PASSWORD), "{shown}");
    assert_eq!(ran.code, 0);
    app.end().await;
}
