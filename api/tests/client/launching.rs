use std::sync::Arc;

use ocim::ansible::fake::FakeEnd;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use shared_types::Role;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::ChildStderr;

use super::proxy::Proxy;
use super::{Ran, Shell};
use crate::app::{GatedAnsible, Setup, TestApp, until};

/// Reads lines until one contains these words.
async fn read_until(stderr: &mut BufReader<ChildStderr>, words: &str) {
    let reading = async {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).await.unwrap(), 0, "it ended without «{words}»");
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), reading).await.expect(words);
}

#[tokio::test]
async fn launch_with_wait_shows_progress_until_the_app_server_runs() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    let shell = Shell::of(&app, Role::Operator).await;
    let ran = shell.run(&["app-server", "launch", "demo.localhost", "--wait", "--reason", "first"]).await;
    assert_eq!(ran.expect(0), "App server 1 is running.\n");
    let lines: Vec<_> = ran.stderr.lines().collect();
    assert_eq!((lines.first(), lines.last()), (Some(&"app server 1 is launched"), Some(&"app server 1: Running")));
    let mut distinct = lines.clone();
    distinct.dedup();
    assert_eq!(lines, distinct, "a line for each change");
    let built = app.read_app_server(1).await;
    assert_eq!((&built["reason"], &built["trigger"]), (&json!("first"), &json!("token")));
    let ran = shell.run(&["app-server", "launch", "1", "--wait", "-o", "json"]).await;
    assert_eq!((&ran.json()["id"], &ran.json()["status"]), (&json!(2), &json!("running")));
    // Without --wait, the command does not wait.
    let launched = shell.run(&["app-server", "launch", "1", "-o", "json", "--activate-when-running"]).await.json();
    assert_eq!((&launched["id"], &launched["activate_when_running"]), (&json!(3), &json!(true)));
    app.until_built(3).await;
    app.until_serving(3, "active").await;
    app.end().await;
}

#[tokio::test]
async fn a_build_that_fails_is_exit_code_1_with_task_reason_and_what_to_type() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    let shell = Shell::of(&app, Role::Operator).await;
    app.ansible.next_run_fails("lms : migrate", "no such table");
    let ran = shell.run(&["app-server", "launch", "1", "--wait"]).await;
    let words = ran.refused(1);
    assert!(words.contains("lms : migrate") && words.contains("no such table"), "{words}");
    assert!(words.contains("ocim app-server logs 1"), "{words}");
    // With --attempts, the second attempt succeeds.
    app.ansible.next_run_fails("lms : migrate", "lock wait timeout");
    let ran = shell.run(&["app-server", "launch", "1", "--wait", "--attempts", "2"]).await;
    assert_eq!(ran.expect(0), "App server 3 is running.\n");
    assert!(ran.stderr.contains("app server 3 is attempt 2 of 2"), "{}", ran.stderr);
    shell.run(&["app-server", "launch", "1", "--attempts", "11"]).await.refused(2);
    app.end().await;
}

#[tokio::test]
async fn ctrl_c_ends_the_waiting_and_not_the_build() {
    let app = TestApp::start().await;
    app.instance("demo").await;
    app.ansible.next_run(FakeEnd::Blocks);
    let shell = Shell::of(&app, Role::Operator).await;
    let mut child = shell.begin(&["app-server", "launch", "1", "--wait"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    read_until(&mut stderr, "Playbooks").await;
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    assert_eq!(Ran::of(child).await.expect(130), "");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("the build goes on; stop it with: ocim app-server stop 1"), "{rest}");
    assert_eq!(app.read_app_server(1).await["status"], "configuring");
    let stopped = shell.run(&["app-server", "stop", "1", "--reason", "wrong branch"]).await;
    assert_eq!(stopped.expect(0), "App server 1 is stopped.\n");
    assert!(shell.run(&["app-server", "launch", "99"]).await.refused(4).starts_with("ocim: Not found: "));
    app.end().await;
}

#[tokio::test]
async fn a_lost_connection_is_no_failed_build() {
    let ansible = GatedAnsible::new();
    let used: Arc<dyn ocim::ansible::port::Ansible> = ansible.clone();
    let app = TestApp::with(Setup { ansible: Some(used), ..Setup::default() }).await;
    app.instance("demo").await;
    let proxy = Proxy::start(app.anonymous().base()).await;
    let shell = Shell::of(&app, Role::Operator).await.with("OCIM_SERVER", proxy.base());
    let mut child = shell.begin(&["app-server", "launch", "1", "--wait"]);
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    until("the playbook runs", async || ansible.running() == 1).await;
    read_until(&mut stderr, "Playbooks").await;
    proxy.set_down(true);
    read_until(&mut stderr, "the connection is lost and made again").await;
    proxy.set_down(false);
    ansible.let_go(1);
    assert_eq!(Ran::of(child).await.expect(0), "App server 1 is running.\n");
    app.end().await;
}
