//! Cleanup of run directories whose builds have ended or do not exist.

use std::fs;

use ocim::ansible::port::SpoolLine;
use ocim::instances::upkeep::runs;
use serde_json::json;
use shared_types::LogLevel;

use crate::app::TestApp;

fn line(text: &str) -> SpoolLine {
    SpoolLine { at: chrono::Utc::now(), level: LogLevel::Info, text: text.to_owned(), task: None, progress: None }
}

#[tokio::test]
async fn run_directories_of_ended_builds_are_cleared_and_others_kept() {
    let app = TestApp::idle().await;
    let dir = &app.manager.options.runs_dir;
    let instance = app.instance("demo").await;
    let over = app.running(instance).await;
    let going_on = app.launched(instance).await;
    for run in [format!("{over}/0-1"), format!("{going_on}/0-1"), "4711/0-1".to_owned(), "cache/x".to_owned()] {
        fs::create_dir_all(dir.join(run)).unwrap();
    }
    app.ansible.next_recover(vec![line("the last words")]);
    // Two orphaned directories are cleaned up, in the file system's order; both find these lines.
    app.ansible.next_recover(vec![line("the last words")]);
    let (one, other) = tokio::join!(runs::sweep(&app.manager), runs::sweep(&app.manager));
    one.unwrap();
    other.unwrap();
    runs::sweep(&app.manager).await.unwrap();
    let left = |name: &str| dir.join(name).exists();
    assert!(!left(&over.to_string()) && !left("4711"), "cleared away");
    assert!(left(&format!("{going_on}/0-1")) && left("cache/x"), "left alone");
    let taken = app.log(over).await.iter().filter(|text| *text == "the last words").count();
    assert!(taken <= 1, "never twice");
    app.end().await;
}

#[tokio::test]
async fn remaining_lines_of_a_cleared_run_are_logged_once_without_secrets() {
    let app = TestApp::idle().await;
    let settings = "DEMO_PASSWORD: correct horse battery staple\n";
    let body = json!({ "name": "Demo", "sub_domain": "demo", "configuration_extra_settings": settings });
    let created = app.operator().await.post("/api/v1/instances", body).await.expect(201);
    let instance = created["id"].as_i64().unwrap();
    let over = app.running(instance).await;
    let run = app.manager.options.runs_dir.join(format!("{over}/0-1"));
    fs::create_dir_all(&run).unwrap();
    app.ansible.next_recover(vec![line("the last words: correct horse battery staple")]);
    runs::sweep(&app.manager).await.unwrap();
    assert!(!run.exists());
    let taken: Vec<String> =
        app.log(over).await.into_iter().filter(|text| text.starts_with("the last words")).collect();
    assert_eq!(taken, ["the last words: ********"]);
    assert_eq!(app.number("SELECT spool_events AS n FROM builds").await, 7, "the position moved with the line");
    app.end().await;
}
