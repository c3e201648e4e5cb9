//! No disk space or a read-only database: no build begins, launches are refused, and the traffic is still served.

use std::path::{Path, PathBuf};
use std::process::Command;

use diesel_async::RunQueryDsl;
use ocim::platform::jobs::workers;
use ocim::worker::disk;
use serde_json::json;
use shared_types::AppServerId;

use crate::app::{Setup, TestApp, until};

/// A small file system, mounted at this path until dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            other => {
                println!("skipped: no disk can be mounted here: {other:?}");
                None
            }
        }
    }

    fn fill(&self) {
        let full = std::fs::write(self.0.join("filler"), vec![0; 1 << 20]).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

#[tokio::test]
async fn no_build_begins_on_a_full_disk() {
    let app = TestApp::idle().await;
    let Some(small) = SmallDisk::mount(&app.manager.options.runs_dir) else {
        return app.end().await;
    };
    disk::watch(&app.manager).await;
    assert_eq!(app.manager.trouble.now(), None);
    let instance = app.instance("demo").await;
    let active = app.running(instance).await;
    let queued = app.launched(instance).await;

    small.fill();
    disk::watch(&app.manager).await;
    let trouble = app.manager.trouble.now().unwrap();
    assert!(trouble.contains("cannot be written (No space left on device"), "{trouble}");
    let operator = app.operator().await;
    let path = format!("/api/v1/instances/{instance}/app-servers");
    let refused = operator.post(&path, json!({})).await;
    let problem = refused.problem(503);
    assert_eq!(problem["type"], "/docs/problems#unavailable");
    assert_eq!(problem["detail"], format!("No build begins now: {trouble}."));
    app.builder().advance(AppServerId(queued)).await.unwrap();
    assert_eq!(app.read_app_server(queued).await["status"], "new");
    workers::report(&mut *app.conn().await, &app.builder().report()).await.unwrap();
    let queue = operator.get("/api/v1/queue").await.expect(200);
    assert_eq!(queue["workers"][0]["trouble"], trouble);
    assert_eq!(queue["waiting"][0]["waits_for"], format!("queued: {trouble}, 0 ahead"));
    assert_eq!(app.read_app_server(active).await["status"], "running", "what serves is served");

    small.clear();
    disk::watch(&app.manager).await;
    assert_eq!(app.manager.trouble.now(), None);
    operator.post(&path, json!({})).await.expect(202);
    app.builder().advance(AppServerId(queued)).await.unwrap();
    assert_eq!(app.read_app_server(queued).await["status"], "running");
    drop(small);
    app.end().await;
}

#[tokio::test]
async fn a_worker_checks_the_disk_and_names_the_required_space() {
    let app = TestApp::with(Setup { options: |options| options.min_free_mb = 1 << 40, ..Setup::default() }).await;
    crate::app::until("the worker checked the disk", async || app.manager.trouble.now().is_some()).await;
    let trouble = app.manager.trouble.now().unwrap();
    assert!(trouble.contains("has less than 1099511627776 MB free (OCIM_MIN_FREE_MB)"), "{trouble}");
    app.end().await;
}

async fn read_only(conn: &mut diesel_async::AsyncPgConnection, is_on: bool) {
    let word = if is_on { "SET default_transaction_read_only = on" } else { "RESET default_transaction_read_only" };
    for statement in [
        format!("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I {word}', current_database()); END $$"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
         AND pid <> pg_backend_pid()"
            .to_owned(),
    ] {
        diesel::sql_query(statement).execute(conn).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_only_database_is_reported_and_reads_go_on() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    let mut aside = app.db.dedicated().await.unwrap();
    read_only(&mut aside, true).await;
    // Requests while connections break get another error.
    let path = format!("/api/v1/instances/{instance}");
    until("connections work again", async || operator.get(&path).await.status == 200).await;
    let refused = operator.post("/api/v1/instances", json!({ "name": "x", "sub_domain": "x" })).await;
    let problem = refused.problem(503);
    assert_eq!(problem["type"], "/docs/problems#unavailable");
    assert!(problem["detail"].as_str().unwrap().starts_with("The database takes nothing in"), "{problem}");
    assert_eq!(refused.header("retry-after"), "30");
    operator.get(&format!("/api/v1/instances/{instance}")).await.expect(200);
    disk::watch(&app.manager).await;
    let trouble = app.manager.trouble.now().unwrap();
    assert!(trouble.starts_with("the database takes nothing in: cannot execute UPDATE"), "{trouble}");
    read_only(&mut aside, false).await;
    disk::watch(&app.manager).await;
    assert_eq!(app.manager.trouble.now(), None);
    operator.post("/api/v1/instances", json!({ "name": "x", "sub_domain": "x" })).await.expect(201);
    app.end().await;
}

#[tokio::test]
async fn a_launch_is_refused_only_if_no_other_worker_begins_builds() {
    let app = TestApp::idle().await;
    let (instance, operator) = (app.instance("demo").await, app.operator().await);
    let path = format!("/api/v1/instances/{instance}/app-servers");
    app.manager.trouble.set(Some("the disk is full".to_owned()));
    let problem = operator.post(&path, json!({})).await.problem(503);
    assert_eq!(problem["detail"], "No build begins now: the disk is full.");
    TestApp::execute(&app, "INSERT INTO workers (id, hostname, version, slots) VALUES ('elsewhere', 'other', '0', 1)")
        .await;
    operator.post(&path, json!({})).await.expect(202);
    for unable in [
        "trouble = 'its disk, too'",
        "trouble = NULL, is_draining = true",
        "is_draining = false, seen = now() - interval '16 s'",
    ] {
        TestApp::execute(&app, &format!("UPDATE workers SET {unable}")).await;
        operator.post(&path, json!({})).await.problem(503);
    }
    app.end().await;
}
