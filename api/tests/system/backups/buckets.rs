//! Buckets of the real stores: copied, changed, and restored; a second backup copies what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use futures::TryStreamExt as _;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _, Bucket, Copied, Piece};
use ocim::resources::objects::Objects;
use ocim::resources::server::{Attempt, ResourceServer, ServerError};

use super::super::resources::moto::Moto;
use super::super::resources::objects::{NAMES, content, listed, noise};
use super::super::resources::swift::Swift;
use super::super::resources::{only, servers};
use super::{AT, Place};

const BUCKET: &str = "ocim-1-a";
/// More than a page.
const COUNT: usize = 1100;
/// More than the size of a part.
const LARGE: usize = (16 << 20) + 77;

async fn bucket(server: Arc<dyn ResourceServer>) -> Bucket {
    server.make_database(BUCKET, "shared", Attempt::First).await.unwrap();
    let (kind, store) = (server.kind(), server.objects().unwrap());
    Bucket { kind, name: "files".to_owned(), bucket: BUCKET.to_owned(), store }
}

/// Writes objects, many at once.
async fn put(store: &Arc<dyn Objects>, objects: impl Iterator<Item = (String, Vec<u8>)>) {
    let writes = objects.map(|(name, bytes)| {
        let store = store.clone();
        async move { store.write(BUCKET, &name, content(&bytes, &[("content-type", "text/x-own")])).await }
    });
    let writes = futures::stream::iter(writes.map(Ok));
    writes.try_for_each_concurrent(16, |write| write).await.unwrap();
}

/// Deletes the bucket, in as many calls as a busy store needs.
async fn empty(server: &dyn ResourceServer) {
    for _ in 0..20 {
        match server.delete_database(BUCKET).await {
            Ok(()) => return,
            Err(ServerError::Away(_) | ServerError::Unfinished(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the bucket is not emptied");
}

/// Every object by its name, with its bytes and its content type.
async fn everything(store: &Arc<dyn Objects>) -> BTreeMap<String, (Vec<u8>, Option<String>)> {
    let (names, _) = listed(store.as_ref(), BUCKET).await;
    let reads = names.into_keys().map(|name| {
        let store = store.clone();
        async move {
            let content = store.read(BUCKET, &name).await?.unwrap();
            let kind = content.meta.headers.into_iter().find(|(name, _)| name == "content-type");
            Ok((name, (content.chunks.try_concat().await?, kind.map(|(_, value)| value))))
        }
    });
    let reads = futures::stream::iter(reads.map(Ok::<_, ServerError>));
    reads.try_buffer_unordered(16).try_collect().await.unwrap()
}

fn copied(piece: &Piece) -> &Copied {
    piece.objects.as_ref().unwrap()
}

async fn goes_around(server: Arc<dyn ResourceServer>) {
    let (place, bucket, progress) = (Place::new(), bucket(server.clone()).await, Progress::default());
    let store = &bucket.store;
    let many = (0..COUNT).map(|number| (format!("many/{number:04}"), number.to_string().into_bytes()));
    let named = NAMES.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec()));
    let others = [("empty".to_owned(), Vec::new()), ("large".to_owned(), noise(LARGE))];
    put(store, many.chain(named).chain(others)).await;
    let before = everything(store).await;
    let all = COUNT + NAMES.len() + 2;
    assert_eq!(before.len(), all);
    let began = Instant::now();
    let first = place.files.copy(AT, &bucket, None, &progress).await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!("{}: {all} objects copied in {seconds:.1} s", bucket.kind);
    assert_eq!((copied(&first).count, copied(&first).copied, copied(&first).left_out), (all as u64, all as u64, 0));
    assert_eq!(copied(&first).largest, LARGE as u64);
    place.files.check(AT, &first, &progress).await.unwrap();
    // One of them changes.
    put(store, [("many/0500".to_owned(), b"other".to_vec())].into_iter()).await;
    let began = Instant::now();
    let second = place.files.copy("17/43", &bucket, Some((AT, &first)), &progress).await.unwrap();
    println!("{}: 1 of {all} copied in {:.1} s", bucket.kind, began.elapsed().as_secs_f64());
    assert_eq!((copied(&second).count, copied(&second).copied), (all as u64, 1));
    // All is lost but two objects, one of which is not in the backup.
    empty(server.as_ref()).await;
    server.make_database(BUCKET, "shared", Attempt::Again).await.unwrap();
    put(
        store,
        [("many/0001", "1"), ("many/0002", "changed"), ("later", "stays")]
            .map(|(name, bytes)| (name.to_owned(), bytes.into()))
            .into_iter(),
    )
    .await;
    progress.bytes.store(0, Ordering::Relaxed);
    let began = Instant::now();
    let written = place.files.put_back(AT, &first, &bucket, &progress).await.unwrap();
    println!("{}: {written} objects written back in {:.1} s", bucket.kind, began.elapsed().as_secs_f64());
    assert_eq!(written, all as u64 - 1, "one is as it was");
    assert!(progress.bytes.load(Ordering::Relaxed) > LARGE as u64);
    let mut after = everything(store).await;
    assert_eq!(after.remove("later").map(|(bytes, _)| bytes), Some(b"stays".to_vec()));
    assert!(
        after == before,
        "{:?}",
        after.iter().find(|(name, found)| before.get(*name) != Some(found)).map(|(name, _)| name)
    );
    // Deleted: what only one of the two uses is gone with it, and then all.
    place.files.delete(AT).await.unwrap();
    place.files.sweep(AT, &progress).await.unwrap();
    place.files.check("17/43", &second, &progress).await.unwrap();
    assert_eq!(place.everything().iter().filter(|file| file.to_str().unwrap().contains("/objects/")).count(), all);
    place.files.delete("17/43").await.unwrap();
    place.files.sweep("17/43", &progress).await.unwrap();
    assert_eq!(std::fs::read_dir(place.backups()).unwrap().count(), 0);
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_container_of_swift_goes_around() {
    let swift = Swift::start().await;
    goes_around(only(&servers(&swift.table()))).await;
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_bucket_of_swifts_interface_of_s3_goes_around() {
    let swift = Swift::start().await;
    goes_around(only(&servers(&swift.s3_table()))).await;
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn a_bucket_of_moto_goes_around() {
    let moto = Moto::start().await;
    goes_around(only(&servers(&moto.table()))).await;
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_store_that_stops_while_objects_are_copied_is_followed_by_an_attempt_that_copies_the_rest() {
    let mut swift = Swift::start().await;
    let (place, bucket) = (Place::new(), bucket(only(&servers(&swift.table()))).await);
    put(&bucket.store, (0..200).map(|number| (format!("o/{number}"), noise(50_000)))).await;
    let progress = Progress::default();
    let copying = {
        let (files, bucket, progress) = (place.files.clone(), bucket.clone(), progress.clone());
        tokio::spawn(async move { files.copy(AT, &bucket, None, &progress).await })
    };
    crate::app::until("it has begun", async || progress.bytes.load(Ordering::Relaxed) > 1_000_000).await;
    swift.stop();
    let away = copying.await.unwrap().unwrap_err();
    assert!(matches!(away, BackupError::Transient(_)), "{away:?}");
    let pool = |place: &Place| {
        let all = place.everything();
        all.iter().filter(|file| file.to_str().unwrap().contains("/objects/") && file.is_file()).count() as u64
    };
    let there = pool(&place);
    assert!((15..200).contains(&there), "{there}");
    swift.resume().await;
    let piece = place.files.copy(AT, &bucket, None, &progress).await.unwrap();
    assert_eq!((copied(&piece).count, copied(&piece).copied, pool(&place)), (200, 200 - there, 200));
    place.files.check(AT, &piece, &progress).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn copying_and_writing_back_end_when_they_are_cancelled() {
    let swift = Swift::start().await;
    let (place, bucket) = (Place::new(), bucket(only(&servers(&swift.table()))).await);
    put(&bucket.store, (0..20).map(|number| (format!("o/{number}"), noise(50_000)))).await;
    let piece = place.files.copy(AT, &bucket, None, &Progress::default()).await.unwrap();
    let progress = Progress::default();
    progress.cancel.cancel();
    let copying = place.files.copy("17/43", &bucket, None, &progress).await;
    assert_eq!(copying, Err(BackupError::Cancelled));
    assert_eq!(place.files.check(AT, &piece, &progress).await, Err(BackupError::Cancelled));
    assert_eq!(place.files.put_back(AT, &piece, &bucket, &progress).await, Err(BackupError::Cancelled));
    assert_eq!(
        place.files.sweep(AT, &progress).await.or(place.files.check(AT, &piece, &Progress::default()).await),
        Ok(())
    );
}

#[tokio::test]
#[ignore = "needs Swift, age, zstd and jq: make test-resources"]
async fn objects_are_read_by_hand_as_the_handbook_says() {
    let swift = Swift::start().await;
    let (place, bucket) = (Place::new(), bucket(only(&servers(&swift.s3_table()))).await);
    let names = ["plain", "a/b/c", "été/☃ 文", "with space & <tag>", "\"quoted\" 'too'"];
    let objects = names.map(|name| (name.to_owned(), [b"first line\n".to_vec(), noise(3000)].concat()));
    put(&bucket.store, objects.clone().into_iter()).await;
    place.files.copy(AT, &bucket, None, &Progress::default()).await.unwrap();
    let page = include_str!("../../../../docs/backups.md").lines();
    let script = page.skip_while(|line| !line.starts_with("    manifest()")).take_while(|line| !line.is_empty());
    let script = script.collect::<Vec<_>>().join("\n").replace("backups.key", "../keys");
    let run = std::process::Command::new("sh").current_dir(place.backups()).args(["-euc", &script]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for (name, bytes) in objects {
        assert!(std::fs::read(place.backups().join("files").join(&name)).unwrap() == bytes, "{name}");
    }
}
