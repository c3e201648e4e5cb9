//! Where configuration may come from: what other sources are refused, and what becomes of instances that have one.

use std::path::PathBuf;

use ocim::git::sources::Sources;
use serde_json::json;
use shared_types::AppServerId;

use crate::app::{Setup, TestApp};

/// A setup with these sources: a server's path, and a directory of this process.
fn setup(works: bool) -> Setup {
    let options = |options: &mut ocim::instances::Options| {
        let directory = directory().join("allowed").display().to_string();
        let entries = ["https://git.example/*", directory.as_str()];
        options.sources = Sources::new(entries, Vec::new()).unwrap();
    };
    Setup { works, options, ..Setup::default() }
}

fn directory() -> PathBuf {
    std::env::temp_dir().join(format!("ocim-sources-{}", std::process::id()))
}

const FIELD: &str = "configuration_source_repo_url";

#[tokio::test]
async fn a_source_that_is_not_allowed_is_refused_on_its_field() {
    let app = TestApp::with(setup(false)).await;
    let operator = app.operator().await;
    for bad in [
        "https://evil.example/x.git",
        "https://git.example@evil.example/x.git",
        "https://169.254.169.254/x",
        "http://git.example/x",
        "file:///etc",
        "/etc",
        "git@git.example:x",
    ] {
        let body = json!({ "name": "Demo", "sub_domain": "demo", FIELD: bad });
        let words = operator.post("/api/v1/instances", body).await.field_error(&format!("/{FIELD}"));
        assert!(words.contains("OCIM_CONFIGURATION_SOURCES") || words.starts_with("Must be"), "{bad}: {words}");
    }
    let id = app.instance("demo").await;
    let path = format!("/api/v1/instances/{id}");
    let change = json!({ FIELD: "https://bot:hunter2@evil.example/x.git" });
    let answer = operator.patch(&path, "\"1\"", change).await;
    assert!(answer.field_error(&format!("/{FIELD}")).contains("https://evil.example/x"), "{}", answer.body);
    assert!(!answer.body.contains("hunter2"), "{}", answer.body);
    operator.patch(&path, "\"1\"", json!({ FIELD: "https://git.example/other.git" })).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn an_instance_whose_source_is_no_longer_allowed_keeps_serving_and_cannot_launch() {
    let app = TestApp::with(setup(true)).await;
    let operator = app.operator().await;
    let id = app.instance("demo").await;
    let serving = app.running(id).await;
    operator.post(&format!("/api/v1/app-servers/{serving}/activate"), json!({})).await.expect(202);
    let path = format!("/api/v1/instances/{id}");
    assert_eq!(operator.get(&path).await.expect(200)["refused_sources"], json!([]));
    let evil = "https://evil.example/x.git";
    app.execute(&format!("UPDATE instances SET settings = jsonb_set(settings, '{{{FIELD}}}', '\"{evil}\"')")).await;
    let shown = operator.get(&path).await.expect(200);
    assert_eq!(shown["refused_sources"], json!([evil]));
    let warning = &shown["warnings"][0];
    assert_eq!(warning["pointer"], format!("/{FIELD}"));
    assert!(warning["detail"].as_str().unwrap().contains("Configuration may not come from https://evil.example/x"));
    let refused = operator.post(&format!("{path}/app-servers"), json!({})).await.problem(409);
    let words = refused["detail"].as_str().unwrap();
    assert!(words.contains("https://evil.example/x") && words.contains("OCIM_CONFIGURATION_SOURCES"), "{words}");
    // It keeps serving, and its other settings can be changed.
    assert_eq!(app.read_app_server(serving).await["serving"], "active");
    let etag = shown["etag"].as_str().unwrap();
    operator.patch(&path, etag, json!({ "name": "Renamed" })).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn a_queued_build_whose_source_is_no_longer_allowed_fails_for_good() {
    let app = TestApp::with(setup(false)).await;
    let operator = app.operator().await;
    let (allowed, outside) = (directory().join("allowed"), directory().join("outside"));
    std::fs::create_dir_all(&allowed).unwrap();
    std::fs::create_dir_all(&outside).unwrap();
    let link = allowed.join("repository");
    drop(std::fs::remove_file(&link));
    let body = json!({ "name": "Demo", "sub_domain": "demo", FIELD: link.display().to_string() });
    let id = operator.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap();
    let request = json!({ "num_attempts": 3 });
    let made = operator.post(&format!("/api/v1/instances/{id}/app-servers"), request).await.expect(202);
    let app_server = made["id"].as_i64().unwrap();
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    app.builder().advance(AppServerId(app_server)).await.unwrap();
    let built = app.until_built(app_server).await;
    assert_eq!(built["status"], "error", "{built:#}");
    let failure = built["failure"].as_str().unwrap();
    assert!(failure.contains("Configuration may not come from"), "{failure}");
    assert_eq!(app.number("SELECT count(*) AS n FROM app_servers").await, 1, "a retry would not help");
    assert_eq!(app.git.calls().resolve, 0, "the repository was not asked");
    std::fs::remove_dir_all(directory()).unwrap();
    app.end().await;
}
