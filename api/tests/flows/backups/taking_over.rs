//! Workers that end in the middle of a work: another one takes it over, and what the first one still does is refused.

use ocim::instances::backups::{RESTORING, work};
use serde_json::{Value, json};

use super::World;
use crate::app::until;

impl World {
    /// Begins what is due in a worker that ends once it waits in this call.
    async fn dies_in(&self, call: &'static str) {
        let begun = self.memory.begun(call);
        self.memory.hold(Some(call));
        tokio::select! {
            () = self.work() => panic!("it must wait"),
            () = until("the call has begun", async || self.memory.begun(call) > begun) => {}
        }
        self.memory.hold(None);
    }
}

#[tokio::test]
async fn a_backup_whose_worker_died_is_written_by_another_one() {
    let world = World::new().await;
    world.requested().await;
    world.dies_in("dump").await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "writing", "the claim of the first one has not run out");
    world.outlive_claims().await;
    world.work().await;
    assert_eq!(world.newest().await["state"], "complete");
    assert_eq!(world.memory.places().len(), 1);
    world.app.end().await;
}

#[tokio::test]
async fn what_a_worker_does_after_its_claim_ran_out_is_refused() {
    let world = World::new().await;
    world.requested().await;
    world.memory.hold(Some("dump"));
    let manager = world.app.manager.clone();
    let slow = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the first one waits", async || world.memory.begun("dump") == 1).await;
    world.outlive_claims().await;
    let manager = world.app.manager.clone();
    let second = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the second one waits, too", async || world.memory.begun("dump") == 2).await;
    world.memory.hold(None);
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
    names.iter().for_each(|name| world.memory.fill(name, (5, "old")));
    let id = world.complete().await;
    names.iter().for_each(|name| world.memory.fill(name, (6, "new")));
    for call in ["check", "load", "tables"] {
        world.asks(id, "restore").await;
        let checks = world.memory.begun("check");
        world.dies_in(call).await;
        let is_begun = call != "check";
        assert_eq!(world.notice().as_deref() == Some(RESTORING), is_begun, "{call}");
        world.outlive_claims().await;
        world.work().await;
        assert!(world.memory.begun("check") >= checks + 3, "{call}: all files are checked again");
        assert!(names.iter().all(|name| world.memory.content(name) == Some((5, "old"))), "{call}");
        let restored = world.newest().await;
        assert_eq!((&restored["work"], &restored["trouble"]), (&Value::Null, &Value::Null), "{call}");
        assert_eq!((world.notice(), world.server.databases().len()), (None, 2), "{call}");
    }
    world.app.end().await;
}

#[tokio::test]
async fn the_trial_of_a_verification_whose_worker_died_is_deleted_by_the_next_one() {
    let world = World::new().await;
    let id = world.complete().await;
    world.asks(id, "verify").await;
    world.dies_in("load").await;
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
    world.requested().await;
    world.memory.hold(Some("dump"));
    let manager = world.app.manager.clone();
    let working = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the first file waits", async || world.memory.begun("dump") == 1).await;
    world.memory.let_one_pass();
    until("its bytes are shown", async || world.newest().await["work_bytes"] == 1000).await;
    world.memory.hold(None);
    working.await.unwrap();
    assert_eq!(world.newest().await["state"], "complete");
    world.app.end().await;
}
