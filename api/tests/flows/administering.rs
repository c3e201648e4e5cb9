//! `ocim admin` of the real program: managing users without the API.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use shared_types::Role;

use crate::app::TestApp;

/// Runs `ocim admin` on the test's database with this standard input. Gives whether it succeeded, and its output.
async fn admin(app: &TestApp, arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.arg("admin").args(arguments).env("DATABASE_URL", app.db.url()).env_remove("OCIM_CONFIG");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // The process may end without reading its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    });
    let Output { status, stdout, stderr } = running.await.unwrap();
    (status.success(), String::from_utf8(stdout).unwrap() + &String::from_utf8(stderr).unwrap())
}

async fn signs_in(app: &TestApp, username: &str, password: &str) -> bool {
    let body = json!({ "username": username, "password": password });
    app.anonymous().post("/api/v1/auth/login", body).await.status == 200
}

#[tokio::test]
async fn admin_command_creates_lists_and_disables_users() {
    let app = TestApp::idle().await;
    let made = admin(&app, &["create-user", "ada", "--role", "admin"], "seven otters juggle lamps\n").await;
    assert_eq!(made, (true, "ada is user 1, admin\n".to_owned()));
    assert!(signs_in(&app, "ada", "seven otters juggle lamps").await);
    let (is_ok, said) = admin(&app, &["create-user", "bob", "--role", "viewer"], "").await;
    assert!(is_ok, "{said}");
    let password = said.split("with the password ").nth(1).unwrap().split(' ').next().unwrap();
    assert!(signs_in(&app, "bob", password).await);
    let (_, listed) = admin(&app, &["list-users"], "").await;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[0].starts_with("1\tada\tadmin\tenabled\t2"), "{listed}");
    assert!(lines[1].starts_with("2\tbob\tviewer\tenabled\t2"), "{listed}");
    let (is_ok, said) = admin(&app, &["disable-user", "bob"], "").await;
    assert!(is_ok && !signs_in(&app, "bob", password).await, "{said}");
    let actors = "SELECT count(*) AS n FROM audit_log WHERE actor = 'ocim admin' \
        AND action IN ('create_user', 'update_user')";
    assert_eq!(app.number(actors).await, 3);
    app.end().await;
}

#[tokio::test]
async fn admin_command_enforces_the_rules_of_the_api() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Admin).await;
    let name = browser.get("/api/v1/auth/me").await.expect(200)["username"].as_str().unwrap().to_owned();
    let refused = [
        (vec!["create-user", "ada", "--role", "viewer"], "password123\n", "too easy to guess"),
        (vec!["create-user", "ada", "--role", "king"], "", "there is no role king"),
        (vec!["create-user", &name, "--role", "viewer"], "", "choose another name"),
        (vec!["create-user", "a\u{1}", "--role", "viewer"], "", "control characters"),
        (vec!["set-password", &name], "short\n", "it needs 10 to 1024"),
        (vec!["set-password", "eve"], "seven otters juggle lamps\n", "there is no user eve"),
        (vec!["disable-user", &name], "", "last administrator"),
        (vec!["disable-user", "eve"], "", "there is no user eve"),
    ];
    for (arguments, input, words) in refused {
        let (is_ok, said) = admin(&app, &arguments, input).await;
        assert!(!is_ok && said.to_lowercase().contains(words), "{arguments:?}: {said}");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM users").await, 1);
    browser.get("/api/v1/auth/me").await.expect(200);
    let (is_ok, said) = admin(&app, &["set-password", &name], "seven otters juggle lamps\n").await;
    assert!(is_ok, "{said}");
    browser.get("/api/v1/auth/me").await.problem(401);
    assert!(signs_in(&app, &name, "seven otters juggle lamps").await);
    app.end().await;
}

#[tokio::test]
async fn the_first_administrator_needs_a_strong_password() {
    let app = TestApp::idle().await;
    let error =
        ocim::platform::users::login::ensure_first_admin(&app.db, "administrator").await.unwrap_err().to_string();
    assert!(error.starts_with("It is too easy to guess."), "{error}");
    assert!(ocim::platform::users::login::ensure_first_admin(&app.db, "correct horse battery staple 7").await.unwrap());
    // Later starts do not check the password.
    assert!(!ocim::platform::users::login::ensure_first_admin(&app.db, "short").await.unwrap());
    app.end().await;
}

#[tokio::test]
async fn a_server_without_a_worker_needs_gateways_with_agents() {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
    command
        .args(["server", "--no-worker"])
        .env_remove("OCIM_CONFIG")
        .env_remove("OCIM_GATEWAY_AGENTS")
        .kill_on_drop(true);
    let Output { status, stderr, .. } = command.output().await.unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && said.contains("OCIM_GATEWAY_AGENTS=true"), "{said}");
}

#[tokio::test]
async fn admin_command_adds_a_gateway_and_gives_it_a_new_token() {
    let app = TestApp::idle().await;
    let tokens = [admin(&app, &["add-gateway", "one"], "").await, admin(&app, &["add-gateway", "one"], "").await];
    let report = json!({ "agent": "a", "hostname": "h", "version": "1", "revision": 1, "error": null });
    for ((is_ok, token), status) in tokens.into_iter().zip([401, 200]) {
        assert!(is_ok, "{token}");
        let agent = app.anonymous().with(crate::app::Credentials::Token(token.trim().to_owned()));
        assert_eq!(agent.post("/api/v1/gateway/exchange", report.clone()).await.status, status);
    }
    let (is_ok, said) = admin(&app, &["add-gateway", "Not One"], "").await;
    assert!(!is_ok && said.contains("lower-case"), "{said}");
    assert!(admin(&app, &["remove-gateway", "one"], "").await.0);
    let (is_ok, said) = admin(&app, &["remove-gateway", "one"], "").await;
    assert!(!is_ok && said.contains("There is no gateway one"), "{said}");
    app.end().await;
}
