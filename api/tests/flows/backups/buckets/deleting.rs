//! Deletions: copies that other backups use stay, and of the last backup nothing is left.

use ocim::instances::backups::work;
use shared_types::Role;

use super::Store;
use crate::app::until;

impl Store {
    async fn deletes(&self, id: i64) {
        let path = format!("{}/{id}", self.world.path());
        self.world.app.person(Role::Admin).await.delete(&path).await.expect(202);
    }

    /// Verifies the newest backup.
    async fn is_whole(&self, id: i64) -> bool {
        self.world.asks(id, "verify").await;
        self.world.work().await;
        self.world.newest().await["verified"].is_string()
    }
}

#[tokio::test]
async fn copies_that_another_backup_uses_stay_until_the_last_one_is_deleted() {
    let store = Store::filled(12, 10).await;
    let first = store.world.complete().await;
    store.put("o/00", "other");
    store.objects.remove(&store.files, "o/01");
    let second = store.world.complete().await;
    assert_eq!(store.pool().len(), 13);
    store.deletes(first).await;
    store.world.work().await;
    assert_eq!(store.pool().len(), 11, "the two that only the first one had are gone");
    assert!(store.is_whole(second).await);
    store.deletes(second).await;
    store.world.work().await;
    assert_eq!(store.everything(), Vec::<std::path::PathBuf>::new());
    assert_eq!(std::fs::read_dir(store.place()).unwrap().count(), 0, "no folder is left");
    store.world.app.end().await;
}

#[tokio::test]
async fn a_deletion_waits_while_a_backup_of_the_instance_is_written() {
    let store = Store::filled(5, 10).await;
    let first = store.world.complete().await;
    store.put("new", "x");
    store.objects.hold();
    let calls = store.objects.calls();
    store.world.requested().await;
    let manager = store.world.app.manager.clone();
    let writing = tokio::spawn(async move { work::sweep(&manager).await.unwrap() });
    until("the new object is read", async || store.objects.calls() > calls).await;
    store.deletes(first).await;
    store.world.work().await;
    assert_eq!(store.pool().len(), 5, "what the second one counts on is there");
    store.objects.release();
    writing.await.unwrap();
    store.world.work().await;
    assert_eq!(store.world.shown().await["items"].as_array().unwrap().len(), 1, "the first one is deleted");
    let second = store.world.newest().await["id"].as_i64().unwrap();
    assert!(store.is_whole(second).await);
    // The other way round: while a deletion goes on, no backup begins to be written.
    store.deletes(second).await;
    store.world.app.execute("UPDATE backups SET claimed_until = now() + interval '1 minute'").await;
    store.world.requested().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "writing");
    store.world.outlive_claims().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "complete");
    store.world.app.end().await;
}

#[tokio::test]
async fn copies_stay_while_a_list_of_used_ones_is_missing_or_cut_off() {
    let store = Store::filled(5, 10).await;
    let first = store.world.complete().await;
    store.put("o/00", "other");
    let second = store.world.complete().await;
    let list = store.place().join(format!("{}/{second}/s3-files.used", store.world.instance));
    let content = std::fs::read(&list).unwrap();
    std::fs::write(&list, &content[..content.len() - 70]).unwrap();
    store.deletes(first).await;
    store.world.work().await;
    assert_eq!((store.pool().len(), store.world.shown().await["items"].as_array().unwrap().len()), (6, 1));
    std::fs::remove_file(&list).unwrap();
    let third = store.world.complete().await;
    assert_eq!(store.objects.take_reads().len(), 6, "the copies are known by their names, and none is made again");
    store.deletes(third).await;
    store.world.work().await;
    assert_eq!(store.pool().len(), 6);
    store.deletes(second).await;
    store.world.work().await;
    assert_eq!(store.everything().len(), 0);
    store.world.app.end().await;
}
