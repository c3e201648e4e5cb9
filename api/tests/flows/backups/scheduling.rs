//! The schedule, and which backups are kept.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::BackupSchedule;
use ocim::instances::backups::schedule;
use serde_json::{Value, json};

use super::super::resources::stored;
use super::{PATH, World};

/// A world with a backup each day, of which two are kept.
async fn daily() -> World {
    World::with(|options| {
        options.backups = BackupSchedule { every_hours: Some(24), keep: 2, migration_days: 30, verifies: true };
    })
    .await
}

impl World {
    /// Does what the schedule wants, in two workers at once, and then what is due.
    async fn day(&self) {
        let (one, other) = tokio::join!(schedule::sweep(&self.app.manager), schedule::sweep(&self.app.manager));
        one.unwrap();
        other.unwrap();
        self.work().await;
    }

    /// Makes all backups older.
    async fn later(&self, hours: u32) {
        let statement = format!(
            "UPDATE backups SET created = created - interval '{hours} hours', ended = ended - interval '{hours} hours'"
        );
        self.app.execute(&statement).await;
    }

    /// Ids of all backups, the newest first.
    async fn ids(&self) -> Vec<i64> {
        let shown = self.shown().await;
        shown["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
    }
}

#[tokio::test]
async fn the_schedule_makes_and_verifies_one_backup_when_it_is_due() {
    let world = daily().await;
    assert_eq!(world.shown().await["every_hours"], 24);
    world.day().await;
    let newest = world.newest().await;
    assert_eq!(
        (&newest["state"], &newest["reason"], &newest["created_by"]),
        (&json!("complete"), &json!("scheduled"), &json!("backups"))
    );
    assert!(newest["verified"].is_string(), "{newest:#}");
    assert_eq!((world.ids().await.len(), world.server.databases().len()), (1, 2));
    world.later(23).await;
    world.day().await;
    assert_eq!(world.ids().await.len(), 1, "not due yet");
    world.later(1).await;
    world.day().await;
    assert_eq!(world.ids().await.len(), 2);
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'create_backup' AND actor = 'backups'";
    assert_eq!(world.app.number(entries).await, 2);
    world.app.end().await;
}

#[tokio::test]
async fn the_newest_scheduled_ones_and_all_requested_ones_are_kept() {
    let world = daily().await;
    let requested = world.complete().await;
    for _ in 0..4 {
        world.later(24).await;
        world.day().await;
    }
    world.day().await;
    let ids = world.ids().await;
    assert_eq!((ids.len(), ids.last()), (3, Some(&requested)), "{ids:?}");
    assert_eq!(world.places().await, 3);
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'delete_backup' AND actor = 'backups'";
    assert_eq!(world.app.number(entries).await, 2);
    world.app.end().await;
}

#[tokio::test]
async fn failures_are_repeated_after_an_hour_and_replace_no_complete_backup() {
    let world = daily().await;
    world.day().await;
    let complete = world.ids().await;
    world.later(24).await;
    for _ in 0..5 {
        world.backups.next_fails(FakeOperation::Dump, BackupError::Permanent("access denied".to_owned()));
        world.day().await;
        assert_eq!(world.newest().await["state"], "failed");
        let before = world.ids().await;
        world.day().await;
        assert_eq!(world.ids().await[0], before[0], "not again within the hour");
        world.later(1).await;
    }
    world.backups.next_fails(FakeOperation::Dump, BackupError::Permanent("access denied".to_owned()));
    world.day().await;
    world.day().await;
    let ids = world.ids().await;
    assert_eq!((ids.len(), ids.last()), (4, complete.first()), "three failed ones are kept: {ids:?}");
    world.later(1).await;
    world.day().await;
    assert_eq!(world.newest().await["state"], "complete");
    world.app.end().await;
}

#[tokio::test]
async fn archived_instances_and_those_without_databases_get_none() {
    let world = daily().await;
    let app = &world.app;
    app.instance("plain").await;
    let wanted = stored(app, "two").await;
    app.launched(wanted).await;
    app.operator().await.delete(&format!("{PATH}/{}?terminate=true", world.instance)).await.expect(200);
    world.day().await;
    assert_eq!(app.number("SELECT count(*) AS n FROM backups").await, 0);
    app.operator().await.post(&format!("{PATH}/{}/restore", world.instance), json!({})).await.expect(200);
    world.day().await;
    assert_eq!(world.ids().await.len(), 1);
    world.app.end().await;
}

#[tokio::test]
async fn databases_that_a_restore_left_incomplete_are_not_backed_up_by_the_schedule() {
    let world = daily().await;
    world.day().await;
    let id = world.ids().await[0];
    world.backups.next_fails(FakeOperation::Load, BackupError::Permanent("unknown collation".to_owned()));
    world.asks(id, "restore").await;
    world.work().await;
    world.later(24).await;
    world.day().await;
    assert_eq!(world.ids().await, [id]);
    world.asks(id, "restore").await;
    world.work().await;
    assert_eq!(world.newest().await["trouble"], Value::Null);
    world.day().await;
    assert_eq!(world.ids().await.len(), 2);
    world.app.end().await;
}
