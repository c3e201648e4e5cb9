//! Restores and verifications of buckets.

use std::fs;

use ocim::instances::backups::RESTORING;
use ocim::resources::server::ServerError;
use serde_json::Value;

use super::Store;
use crate::app::until;

#[tokio::test]
async fn a_restore_writes_back_what_differs_and_deletes_nothing() {
    let store = Store::filled(25, 100).await;
    store.put("été/☃ a//b ..", "snow");
    store.put("empty", "");
    store.put("large", &"0123456789".repeat(30_000));
    let before = store.all();
    let id = store.world.complete().await;
    store.put("o/03", "other");
    for name in ["o/04", "empty", "large", "été/☃ a//b .."] {
        store.objects.remove(&store.files, name);
    }
    store.put("new", "stays");
    store.world.asks(id, "restore").await;
    store.world.work().await;
    let restored = store.world.newest().await;
    assert_eq!((restored["restored"].is_string(), &restored["trouble"]), (true, &Value::Null));
    let mut after = store.all();
    assert_eq!(after.remove("new").as_deref(), Some("stays"));
    assert_eq!(after, before);
    assert_eq!(store.objects.take_writes(), ["empty", "large", "o/03", "o/04", "été/☃ a//b .."]);
    let headers = store.objects.headers(&store.files, "o/03");
    assert_eq!(headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    assert_eq!(store.world.lines("5 objects that differed were written back").await, 1);
    // They are the same now, though the store says another time.
    store.world.asks(id, "restore").await;
    store.world.work().await;
    assert_eq!(store.objects.take_writes(), Vec::<String>::new());
    store.world.app.end().await;
}

#[tokio::test]
async fn a_copy_that_is_damaged_or_missing_is_found_before_anything_is_written() {
    let store = Store::filled(5, 3000).await;
    let id = store.world.complete().await;
    store.put("o/03", "other");
    let refused = async |words: &str| {
        for verb in ["restore", "verify"] {
            let changes = store.world.server.changes();
            store.world.asks(id, verb).await;
            store.world.work().await;
            let trouble = store.trouble().await;
            assert!(trouble.starts_with("S3 bucket files: ") && trouble.contains(words), "{verb} {words}: {trouble}");
            assert!(verb == "verify" || store.world.server.changes() == changes, "nothing is deleted: {words}");
        }
        assert_eq!(store.objects.take_writes(), Vec::<String>::new());
        assert_eq!(store.world.notice(), None);
    };
    for file in
        [store.pool()[2].clone(), store.place().join(format!("{}/{id}/s3-files.objects.zst.age", store.world.instance))]
    {
        let content = fs::read(&file).unwrap();
        let mut altered = content.clone();
        let middle = altered.len() - 20;
        altered[middle] ^= 1;
        for (damaged, words) in [
            (Some(altered), "SHA-256"),
            (Some(content[..content.len() / 2].to_vec()), "is damaged"),
            (None, "is missing"),
        ] {
            match damaged {
                Some(damaged) => fs::write(&file, damaged).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            refused(words).await;
        }
        fs::write(&file, content).unwrap();
    }
    // A copy in the place of another one opens with the key, and is not what was written.
    let (one, other) = (store.pool()[0].clone(), store.pool()[1].clone());
    let content = fs::read(&one).unwrap();
    fs::copy(other, &one).unwrap();
    refused("SHA-256").await;
    fs::write(&one, content).unwrap();
    store.world.asks(id, "restore").await;
    store.world.work().await;
    assert_eq!(store.objects.take_writes(), ["o/03"]);
    store.world.app.end().await;
}

#[tokio::test]
async fn a_restore_goes_on_behind_the_page_when_the_store_is_back() {
    let store = Store::filled(25, 10).await;
    let id = store.world.complete().await;
    for number in 0..25 {
        store.objects.remove(&store.files, &format!("o/{number:02}"));
    }
    for _ in 0..3 {
        store.objects.fail_after(0, ServerError::Away("the store restarts".to_owned()));
    }
    store.objects.hold();
    store.world.asks(id, "restore").await;
    let calls = store.objects.calls();
    let meanwhile = async {
        until("an object is written", async || store.objects.calls() > calls).await;
        assert_eq!(store.world.notice().as_deref(), Some(RESTORING));
        store.objects.release();
    };
    tokio::join!(store.world.work(), meanwhile);
    store.world.hurry().await;
    store.world.work().await;
    assert_eq!((store.all().len(), store.trouble().await, store.world.notice()), (25, String::new(), None));
    store.world.app.end().await;
}

#[tokio::test]
async fn a_bucket_that_is_gone_is_found_before_a_database_is_deleted() {
    let store = Store::filled(2, 10).await;
    let id = store.world.complete().await;
    let changes = store.world.server.changes();
    store.objects.set_unlisted(Some(ServerError::Refused("the bucket does not exist".to_owned())));
    store.world.asks(id, "restore").await;
    store.world.work().await;
    assert_eq!(store.trouble().await, "S3 bucket files: the bucket does not exist. Nothing was deleted.");
    assert_eq!(store.world.server.changes(), changes);
    store.world.app.end().await;
}

#[tokio::test]
async fn a_verification_reads_every_copy_and_writes_nothing() {
    let store = Store::filled(25, 10).await;
    let id = store.world.complete().await;
    store.objects.take_reads();
    store.world.asks(id, "verify").await;
    store.world.work().await;
    assert!(store.world.newest().await["verified"].is_string());
    assert_eq!((store.objects.take_reads(), store.objects.take_writes()), (Vec::new(), Vec::new()));
    assert_eq!(store.world.lines("the checksums of its 25 objects are right").await, 1);
    store.world.app.end().await;
}
