use std::sync::Arc;

use shared_types::Role;

use super::proxy::Proxy;
use super::{Ran, Shell};
use crate::app::{GatedAnsible, Setup, TestApp, until};

/// The `seq` of entries, given as JSON lines.
fn numbers(lines: &str) -> Vec<i64> {
    let number = |line| serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"].as_i64().unwrap();
    lines.lines().map(number).collect()
}

#[tokio::test]
async fn a_followed_log_loses_and_doubles_no_line_on_broken_connections() {
    let ansible = GatedAnsible::new();
    let used: Arc<dyn ocim::ansible::port::Ansible> = ansible.clone();
    let app = TestApp::with(Setup { ansible: Some(used), ..Setup::default() }).await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    until("the playbook runs", async || ansible.running() == 1).await;
    let proxy = Proxy::start(app.anonymous().base()).await;
    proxy.set_cuts_streams(true);
    let shell = Shell::of(&app, Role::Viewer).await.with("OCIM_SERVER", proxy.base());
    let whole = shell.begin(&["app-server", "logs", "1", "-f", "-o", "json"]);
    let last = shell.begin(&["app-server", "logs", "1", "-f", "--tail", "2", "-o", "json"]);
    until("streams were cut", async || proxy.streams() > 3).await;
    let already = i64::try_from(app.log(id).await.len()).unwrap();
    ansible.let_go(1);
    let (whole, last) = (Ran::of(whole).await, Ran::of(last).await);
    let count = i64::try_from(app.log(id).await.len()).unwrap();
    assert!(count > already, "the build said more after that");
    assert_eq!(numbers(whole.expect(0)), (1..=count).collect::<Vec<_>>());
    assert_eq!(numbers(last.expect(0)), (already - 1..=count).collect::<Vec<_>>());
    assert!(whole.stderr.contains("the connection is lost and made again"), "{}", whole.stderr);
    app.end().await;
}

#[tokio::test]
async fn the_log_of_an_ended_build_is_printed_with_each_option() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.ansible.next_run_fails("lms : migrate", "no such table");
    let id = app.built(instance).await["id"].as_i64().unwrap();
    let log = app.log(id).await;
    let shell = Shell::of(&app, Role::Viewer).await;
    let logs = async |more: &[&str]| shell.run(&[&["app-server", "logs", "1"], more].concat()).await;
    let all = logs(&[]).await;
    let lines: Vec<_> = all.expect(0).lines().collect();
    assert_eq!(lines.len(), log.len());
    assert!(lines.iter().zip(&log).all(|(line, text)| line.ends_with(text.as_str())), "{lines:#?}\n{log:#?}");
    assert_eq!(logs(&["-f"]).await.expect(0), all.stdout, "followed, it is the same, and it ends");
    assert_eq!(logs(&["--tail", "3"]).await.expect(0).lines().collect::<Vec<_>>(), lines[lines.len() - 3..]);
    assert_eq!(logs(&["-f", "--tail", "3"]).await.stdout, logs(&["--tail", "3"]).await.stdout);
    assert_eq!(logs(&["--tail", "1000"]).await.stdout, all.stdout);
    let worse = logs(&["--level", "warning"]).await;
    assert!((1..lines.len()).contains(&worse.expect(0).lines().count()), "{worse:?}");
    assert_eq!(logs(&["--level", "WARNING", "-f"]).await.stdout, worse.stdout);
    let found = logs(&["--q", "FAKE : task 2"]).await;
    assert_eq!(found.expect(0).lines().count(), 1, "{found:?}");
    assert_eq!(logs(&["--q", "FAKE : task 2", "-f"]).await.stdout, found.stdout);
    assert_eq!(logs(&["-o", "json"]).await.json().as_array().unwrap().len(), log.len());
    assert!(shell.run(&["app-server", "logs", "99", "-f"]).await.refused(4).starts_with("ocim: Not found: "));
    app.end().await;
}
