//! A server that is away in the middle of a build, and at a purge.

use serde_json::json;
use shared_types::{AppServerId, Role};

use super::mariadb::MariaDb;
use super::strangers::{create, purge};
use crate::app::{Setup, TestApp, until};

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_build_and_a_purge_wait_for_a_server_that_is_away() {
    let mut mariadb = MariaDb::start().await;
    let before = mariadb.listing().await;
    let resources = super::servers(&mariadb.table(""));
    let app = TestApp::with(Setup { works: false, resources, ..Setup::default() }).await;
    let id = create(&app, "one", json!([{ "kind": "mysql" }])).await;
    let app_server = app.launched(id).await;
    mariadb.stop();
    let builder = app.builder();
    let building = tokio::spawn(async move { builder.advance(AppServerId(app_server)).await.unwrap() });
    until("the log says so", async || app.log_says(app_server, "(trying again)").await).await;
    assert!(app.provider.machines().is_empty());
    mariadb.resume().await;
    building.await.unwrap();
    assert_eq!(app.until_built(app_server).await["status"], "running");
    purge(&app, &[id]).await;
    mariadb.stop();
    app.manager.works().sweep().await.unwrap();
    let administrator = app.person(Role::Admin).await;
    let left = administrator.get(&format!("/api/v1/instances/{id}/resources")).await.expect(200);
    assert!(left["items"].as_array().unwrap().iter().all(|one| one["state"] == "deleting"), "{left:#}");
    mariadb.resume().await;
    app.execute("UPDATE resources SET next_try = now()").await;
    app.manager.works().sweep().await.unwrap();
    assert_eq!(mariadb.listing().await, before);
    app.end().await;
}
