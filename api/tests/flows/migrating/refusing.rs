//! What is refused, and what is kept, while databases are migrated.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::migration::PAGE;
use serde_json::json;
use shared_types::Role;

use super::{INSTANCES, upgraded};
use crate::flows::backups::{NEW, OLD};
#[tokio::test]
async fn where_no_snapshot_can_be_taken_the_build_goes_on_and_the_view_says_why() {
    let (world, _) = upgraded().await;
    world.backups.set_no_restore(Some("There is no key."));
    assert_eq!(world.instance().await["next_migration"]["why_no_snapshot"], "There is no key.");
    let id = world.launches(json!({})).await;
    let built = world.build(id).await;
    assert_eq!((&built["status"], world.notice()), (&json!("running"), None));
    assert!(built["steps"].as_array().unwrap().iter().all(|step| step["kind"] != "snapshot"), "{built:#}");
    assert_eq!(world.backups.count(FakeOperation::Dump), 0);
    assert_eq!(world.instance().await["migrations"], json!([]));
    world.app.end().await;
}

#[tokio::test]
async fn no_other_build_and_no_restore_begin_while_databases_are_migrated() {
    let (world, _) = upgraded().await;
    let path = format!("{INSTANCES}/{}/app-servers", world.instance);
    let operator = world.app.operator().await;
    let before = world.complete().await;
    let id = world.launches(json!({})).await;
    let problem = operator.post(&path, json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("which migrates the databases"), "{problem}");
    let restore = format!("{}/{before}/restore", world.path());
    world.app.person(Role::Admin).await.post(&restore, json!({ "confirm": "one" })).await.problem(409);
    assert_eq!(world.build(id).await["status"], "running");
    world.edit("stored").await;
    let other = world.launches(json!({})).await;
    assert_eq!(world.migration().await["app_server_id"], other, "back is a migration, too");
    world.app.end().await;
}

#[tokio::test]
async fn a_restore_that_fails_leaves_the_page_up_until_a_person_has_decided() {
    let (world, names) = upgraded().await;
    let id = world.launches(json!({})).await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    assert_eq!(world.build(id).await["status"], "failed");
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    world.backups.next_fails(FakeOperation::Load, BackupError::Permanent("no space".to_owned()));
    world.restores(id).await;
    let needs = world.migration().await;
    assert_eq!((&needs["state"], &needs["is_page_up"]), (&json!("needs_person"), &json!(true)));
    assert!(needs["trouble"].as_str().unwrap().contains("no space"), "{needs:#}");
    world.sweeps().await;
    assert_eq!(world.notice().as_deref(), Some(PAGE));
    world.asks(needs["backup_id"].as_i64().unwrap(), "restore").await;
    world.sweeps().await;
    assert!(world.hold(&names, OLD));
    assert_eq!((&world.migration().await["state"], world.notice()), (&json!("restored"), None));
    world.app.end().await;
}

#[tokio::test]
async fn snapshots_are_kept_for_some_days_and_while_they_may_be_needed() {
    let (world, _) = upgraded().await;
    let id = world.launches(json!({ "migrate_without_page": true })).await;
    world.app.ansible.next_run_fails("migrate", "no such column");
    assert_eq!(world.build(id).await["status"], "failed");
    let keep = async || {
        ocim::instances::backups::schedule::sweep(&world.app.manager).await.unwrap();
        world.work().await;
        world.places().await
    };
    world
        .app
        .execute("UPDATE backups SET created = now() - interval '31 days', ended = now() - interval '31 days'")
        .await;
    assert_eq!(keep().await, 1, "it needs a person");
    let dismiss = format!("{INSTANCES}/{}/migrations/{id}/dismiss", world.instance);
    world.app.operator().await.post(&dismiss, json!({})).await.expect(200);
    assert_eq!(keep().await, 0);
    world.app.end().await;
}
