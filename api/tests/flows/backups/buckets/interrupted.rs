//! Copying that is interrupted: the next attempt goes on with what is missing.

use std::collections::BTreeSet;

use ocim::instances::backups::work;
use ocim::resources::server::ServerError;
use serde_json::json;
use shared_types::Role;

use super::Store;
use crate::app::until;

fn away() -> ServerError {
    ServerError::Away("the store does not answer".to_owned())
}

#[tokio::test]
async fn a_store_that_goes_away_is_tried_again_and_nothing_is_copied_twice() {
    let store = Store::filled(30, 10).await;
    store.objects.fail_after(13, away());
    store.world.requested().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "writing");
    let words = store.trouble().await;
    assert!(words.starts_with("S3 bucket files: the object `o/") && words.ends_with("does not answer"), "{words}");
    let first = store.objects.take_reads();
    let copied = store.pool().len();
    assert!((10..=first.len()).contains(&copied) && first.len() < 30, "{copied} of {}", first.len());
    store.world.hurry().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "complete");
    assert_eq!((store.objects.take_reads().len(), store.pool().len()), (30 - copied, 30));
    store.world.app.end().await;
}

#[tokio::test]
async fn what_an_attempt_has_copied_outlives_a_deletion_before_the_next_one() {
    let store = Store::filled(30, 10).await;
    let first = store.world.complete().await;
    store.objects.take_reads();
    for number in 0..30 {
        store.put(&format!("o/{number:02}"), "other");
    }
    store.objects.fail_after(13, away());
    store.world.requested().await;
    store.world.work().await;
    let copied = store.pool().len() - 30;
    assert!(copied >= 10, "{copied}");
    store.objects.take_reads();
    store.world.app.person(Role::Admin).await.delete(&format!("{}/{first}", store.world.path())).await.expect(202);
    store.world.work().await;
    assert_eq!(store.pool().len(), copied, "those of the deleted backup are gone");
    store.world.hurry().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "complete");
    assert_eq!((store.objects.take_reads().len(), store.pool().len()), (30 - copied, 30));
    store.world.app.end().await;
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_leaves_nothing() {
    let store = Store::filled(30, 10).await;
    store.objects.fail_after(13, ServerError::Refused("the object is in an archive".to_owned()));
    store.world.requested().await;
    store.world.work().await;
    let failed = store.world.newest().await;
    assert_eq!((&failed["state"], &failed["pieces"]), (&json!("failed"), &json!([])));
    assert!(store.trouble().await.ends_with("the object is in an archive"), "{failed:#}");
    assert_eq!(std::fs::read_dir(store.place()).unwrap().count(), 0);
    store.world.app.end().await;
}

#[tokio::test]
async fn a_worker_that_dies_while_it_copies_is_followed_by_another_one() {
    let store = Store::filled(30, 10).await;
    store.objects.fail_after(13, away());
    store.world.requested().await;
    store.world.work().await;
    let copied: BTreeSet<_> = store.pool().into_iter().collect();
    store.objects.take_reads();
    store.world.hurry().await;
    store.objects.hold();
    let calls = store.objects.calls();
    tokio::select! {
        () = store.world.work() => panic!("it must wait"),
        () = until("an object is read", async || store.objects.calls() > calls) => {}
    }
    store.objects.release();
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "writing", "the claim of the first one has not run out");
    store.world.outlive_claims().await;
    store.world.work().await;
    assert_eq!(store.world.newest().await["state"], "complete");
    assert!(copied.is_subset(&store.pool().into_iter().collect()) && store.pool().len() == 30);
    assert_eq!(store.objects.take_reads().len(), 30 - copied.len());
    store.world.app.end().await;
}

#[tokio::test]
async fn two_workers_write_and_delete_one_after_the_other() {
    let store = Store::filled(12, 10).await;
    let mut id = store.world.complete().await;
    for round in 0..4 {
        store.put("o/00", &round.to_string());
        store.world.requested().await;
        store.world.app.person(Role::Admin).await.delete(&format!("{}/{id}", store.world.path())).await.expect(202);
        let (one, other) = (work::sweep(&store.world.app.manager), work::sweep(&store.world.app.manager));
        let (one, other) = tokio::join!(one, other);
        one.and(other).unwrap();
        // The one that has given its claim back.
        store.world.work().await;
        let newest = store.world.newest().await;
        id = newest["id"].as_i64().unwrap();
        assert_eq!((&newest["state"], store.pool().len()), (&json!("complete"), 12), "round {round}");
    }
    store.world.asks(id, "verify").await;
    store.world.work().await;
    assert!(store.world.newest().await["verified"].is_string());
    store.world.app.end().await;
}
