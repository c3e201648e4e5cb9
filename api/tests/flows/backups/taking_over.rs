//! Workers that end in the middle of a work: another one takes it over, and what the first one still does is refused.

use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::{RESTORING, work};
use serde_json::{Value, json};

use super::{NEW, OLD, World};
use crate::app::until;

impl World {
    /// Begins what is due in a worker that ends once it waits in this call.
    pub(super) async fn dies_in(&self, call: FakeOperation) {
        let begun = self.backups.count(call);
        self.backups.hold(call);
        tokio::select! {
            () = self.work() => panic!("it must wait"),
            () = until("the call has begun", async || self.backups.count(call) > begun) => {}
        }
        self.backups.release(call);
    }
}

#[tokio::test]
async fn a_backup_whose_worker_died_is_written_by_another_one() {
    let world = World::new().await;
    world.requested().await;
    world.dies_in(FakeOperation::Dump).await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "writing", "the claim of the first one has not run out");
    world.outlive_claims().await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "complete");
    assert_eq!(world.places().await, 1);
    world.app.end().await;
}

#[tokio::test]
async fn what_a_worker_does_after_its_claim_ran_out_is_refused() {
    let world = World::new().await;
    world.requested().await;
    world.backups.hold(FakeOperation::Dump);
    let manager = world.app.manager.clone();
    let slow = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the first one waits", async || world.backups.count(FakeOperation::Dump) == 1).await;
    world.outlive_claims().await;
    let manager = world.app.manager.clone();
    let second = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the second one waits, too", async || world.backups.count(FakeOperation::Dump) == 2).await;
    world.backups.release(FakeOperation::Dump);
    slow.await.unwrap();
    second.await.unwrap();
    let complete = world.newest().await;
    assert_eq!((&complete["state"], &complete["work"]), (&json!("complete"), &Value::Null));
    assert_eq!(world.lines("is complete").await, 1);
    assert_eq!(world.app.number("SELECT claim AS n FROM backups").await, 2);
    world.app.end().await;
}

#[tokio::test]
async fn a_restore_whose_worker_died_begins_again_from_the_start() {
    let world = World::new().await;
    let names = world.names().await;
    names.iter().for_each(|name| world.backups.set_database(name, OLD));
    let id = world.complete().await;
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    for call in [FakeOperation::Check, FakeOperation::Load, FakeOperation::Tables] {
        world.asks(id, "restore").await;
        let checks = world.backups.count(FakeOperation::Check);
        world.dies_in(call).await;
        let is_begun = call != FakeOperation::Check;
        assert_eq!(world.notice().as_deref() == Some(RESTORING), is_begun, "{call:?}");
        world.outlive_claims().await;
        world.work().await;
        assert!(world.backups.count(FakeOperation::Check) >= checks + 3, "{call:?}: all files are checked again");
        assert!(world.hold(&names, OLD), "{call:?}");
        let restored = world.newest().await;
        assert_eq!((&restored["work"], &restored["trouble"]), (&Value::Null, &Value::Null), "{call:?}");
        assert_eq!((world.notice(), world.server.databases().len()), (None, 2), "{call:?}");
    }
    world.app.end().await;
}

#[tokio::test]
async fn the_trial_of_a_verification_whose_worker_died_is_deleted_by_the_next_one() {
    let world = World::new().await;
    let id = world.complete().await;
    world.asks(id, "verify").await;
    world.dies_in(FakeOperation::Load).await;
    assert_eq!(world.server.databases().len(), 3, "the trial is left");
    let system = world.app.viewer().await.get("/api/v1/system").await.expect(200);
    assert!(system["resource_servers"].to_string().contains("_pages_trial"), "{system:#}");
    world.outlive_claims().await;
    world.work().await;
    assert!(world.newest().await["verified"].is_string());
    assert_eq!(world.server.databases().len(), 2);
    world.app.end().await;
}

#[tokio::test]
async fn progress_is_stored_while_a_work_goes_on() {
    let world = World::new().await;
    let [pages, _] = world.names().await;
    world.backups.set_database(&pages, OLD);
    let id = world.complete().await;
    world.asks(id, "verify").await;
    world.backups.hold(FakeOperation::Tables);
    let manager = world.app.manager.clone();
    let working = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the bytes of the first file are shown", async || world.newest().await["work_bytes"] == OLD.len()).await;
    world.backups.release(FakeOperation::Tables);
    working.await.unwrap();
    assert!(world.newest().await["verified"].is_string());
    world.app.end().await;
}
