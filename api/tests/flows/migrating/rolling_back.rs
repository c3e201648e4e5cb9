//! Rollbacks over a migration that bring the databases back, too.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::RESTORING;
use ocim::instances::traffic::apply_routing;
use serde_json::{Value, json};
use shared_types::Role;

use super::{INSTANCES, upgraded};
use crate::flows::backups::{NEW, OLD, World};

/// A world whose new app server has migrated the databases and is active; gives the id of the old one, that of the snapshot, and the names of
/// the databases.
async fn migrated() -> (World, i64, i64, [String; 2]) {
    let (world, names) = upgraded().await;
    let first = active(&world).await;
    let id = world.launches(json!({})).await;
    assert_eq!(world.build(id).await["status"], "running");
    world.activate(id).await;
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    let snapshot = world.migration().await["backup_id"].as_i64().unwrap();
    (world, first, snapshot, names)
}

async fn active(world: &World) -> i64 {
    world.instance().await["active_appserver"]["id"].as_i64().unwrap()
}

fn body(confirm: &str, app_server: i64) -> Value {
    json!({ "confirm": confirm, "roll_back": { "app_server_id": app_server, "reason": "the grades are gone" } })
}

#[tokio::test]
async fn traffic_and_databases_go_back_together() {
    let (world, first, snapshot, names) = migrated().await;
    let path = format!("{}/{snapshot}/restore", world.path());
    world.app.person(Role::Admin).await.post(&path, body("one", first)).await.expect(202);
    assert_eq!(active(&world).await, first);
    apply_routing::apply_behind(&world.app.manager).await.unwrap();
    assert_eq!(world.notice().as_deref(), Some(RESTORING), "no visitor reaches the old app server before the restore");
    assert!(world.hold(&names, NEW));
    world.work().await;
    assert!(world.hold(&names, OLD));
    let instance = world.instance().await;
    assert_eq!((world.notice(), &instance["migrations"][0]["state"]), (None, &json!("restored")));
    assert_eq!((active(&world).await, &instance["hold"]["reason"]), (first, &json!("the grades are gone")));
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action IN ('restore_backup', 'roll_back_instance')";
    assert_eq!(world.app.number(entries).await, 2);
    world.app.end().await;
}

#[tokio::test]
async fn if_either_is_refused_nothing_is_done() {
    let (world, first, snapshot, names) = migrated().await;
    let before = active(&world).await;
    let path = format!("{}/{snapshot}/restore", world.path());
    let admin = world.app.person(Role::Admin).await;
    world.app.operator().await.post(&path, body("one", first)).await.problem(403);
    admin.post(&path, body("two", first)).await.problem(422);
    admin.post(&path, body("one", 4711)).await.problem(422);
    admin.post(&path, json!({ "confirm": "one", "roll_back": { "force": true } })).await.problem(422);
    world.asks(snapshot, "verify").await;
    let problem = admin.post(&path, body("one", first)).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("being verified"), "{problem}");
    world.work().await;
    let instance = world.instance().await;
    assert_eq!((active(&world).await, &instance["hold"]), (before, &Value::Null));
    assert_eq!((&instance["maintenance"], world.notice()), (&Value::Null, None));
    assert!(world.hold(&names, NEW));
    world.app.end().await;
}

#[tokio::test]
async fn a_restore_that_fails_before_it_deletes_takes_its_page_down() {
    let (world, first, snapshot, names) = migrated().await;
    world.backups.next_fails(FakeOperation::Check, BackupError::Damaged("the file is cut off".to_owned()));
    let path = format!("{}/{snapshot}/restore", world.path());
    world.app.person(Role::Admin).await.post(&path, body("one", first)).await.expect(202);
    world.work().await;
    let trouble = world.newest().await["trouble"].clone();
    assert!(trouble.as_str().unwrap().ends_with("Nothing was deleted."), "{trouble}");
    assert_eq!((world.notice(), active(&world).await), (None, first));
    assert!(world.hold(&names, NEW));
    world.app.end().await;
}

#[tokio::test]
async fn the_page_of_a_person_stays_after_the_rollback() {
    let (world, first, snapshot, names) = migrated().await;
    let page = format!("{}/{}/maintenance", INSTANCES, world.instance);
    world.app.operator().await.put(&page, json!({ "text": "Back at 5." })).await.expect(200);
    let path = format!("{}/{snapshot}/restore", world.path());
    world.app.person(Role::Admin).await.post(&path, body("one", first)).await.expect(202);
    world.work().await;
    assert!(world.hold(&names, OLD));
    assert_eq!((world.notice().as_deref(), active(&world).await), (Some("Back at 5."), first));
    world.app.end().await;
}
