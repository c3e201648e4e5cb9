//! Backups in buckets: round trips, objects that are not what was written, and stores that refuse or go away.

use std::time::Duration;

use age::x25519::Identity;
use ocim::backups::files::place::bucket::Bucket;
use ocim::backups::files::place::{Place as _, PlacePath};
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _, Files, Piece, Source};
use ocim::resources::providers::s3::Objects;
use tokio_util::sync::CancellationToken;

use super::contract::{NAME, PART, bucket, content, objects, of_moto, of_swift, path, read, transfer, write};
use super::*;
use crate::system::resources::moto::Moto;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::swift::Swift;

/// The file of most tests.
const FILE: &str = "17/42/postgresql-main.sql.zst.age";

/// Backups in a bucket with a pair of keys.
struct InBucket {
    keys: tempfile::TempDir,
    bucket: Bucket,
    objects: Objects,
    files: Arc<Files>,
}

impl InBucket {
    fn new((bucket, objects): (Bucket, Objects)) -> Self {
        let (keys, key) = (tempfile::tempdir().unwrap(), Identity::generate());
        write_keys(&keys.path().join("keys"), &key);
        let (recipients, file) = ([key.to_public().to_string()], keys.path().join("keys"));
        let files = Arc::new(Files::at(Arc::new(bucket.clone()), &recipients, Some(file)).unwrap());
        Self { keys, bucket, objects, files }
    }

    async fn until_aborted(&self) {
        until("uploads are aborted", async || self.objects.uploads("").await.unwrap().is_empty()).await;
    }

    async fn until_begun(&self) {
        until("a part is sent", async || !self.objects.uploads("17/42/").await.unwrap().is_empty()).await;
    }
}

/// A database of PostgreSQL whose dump has more than two parts, and an empty one.
async fn large(postgres: &Postgres) -> (Source, Source) {
    let server = only(&servers(&postgres.table()));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    let client = postgres.connect("ocim_u", PASSWORD, "ocim_old").await.unwrap();
    client
        .batch_execute("CREATE TABLE t AS SELECT sha512(random()::text::bytea) AS a FROM generate_series(1, 250000)")
        .await
        .unwrap();
    (source, target)
}

async fn sum(postgres: &Postgres, database: &str) -> String {
    let client = postgres.connect("ocim_u", PASSWORD, database).await.unwrap();
    let query = "SELECT count(*) || ' ' || md5(string_agg(a::text, '' ORDER BY a)) FROM t";
    client.query_one(query, &[]).await.unwrap().get(0)
}

#[tokio::test]
#[ignore = "needs PostgreSQL, Swift and moto: make test-resources"]
async fn a_database_comes_back_from_a_bucket_and_nothing_of_a_damaged_object_does() {
    let (postgres, swift, moto) = (Postgres::start().await, Swift::start().await, Moto::start().await);
    let (source, target) = large(&postgres).await;
    for place in [InBucket::new(of_swift(&swift).await), InBucket::new(of_moto(&moto).await)] {
        let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
        assert!(piece.bytes > 2 * PART as u64, "it has several parts: {}", piece.bytes);
        assert_eq!(place.files.list().await.unwrap(), [AT]);
        assert_eq!((place.files.has(AT).await, place.files.has("17/43").await), (Ok(true), Ok(false)));
        place.files.check(AT, &piece, &Progress::default()).await.unwrap();
        refuses_all(&place, &piece, &target).await;
        place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap();
        assert_eq!(sum(&postgres, "ocim_new").await, sum(&postgres, "ocim_old").await);
        let refused = place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap_err();
        assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("has 1 tables")), "{refused:?}");
        postgres.connect("ocim_u", PASSWORD, "ocim_new").await.unwrap().batch_execute("DROP TABLE t").await.unwrap();
        place.files.delete(AT).await.unwrap();
        assert!(place.files.list().await.unwrap().is_empty());
        place.until_aborted().await;
    }
    postgres.stop().await;
}

/// Damages the backup in several ways, and writes it anew at the end. The target stays without a table.
async fn refuses_all(place: &InBucket, piece: &Piece, target: &Source) {
    let whole = read(&place.bucket, FILE).await.unwrap();
    let altered = |position: usize| {
        let mut altered = whole.clone();
        altered[position] ^= 1;
        altered
    };
    for (damaged, words) in [
        (Vec::new(), "size is 0 bytes"),
        (whole[..PART].to_vec(), "size is 5242880 bytes"),
        (whole[..whole.len() - 1].to_vec(), "size is"),
        ([&whole[..], b"x"].concat(), "size is"),
        (altered(0), "SHA-256 is"),
        (altered(PART), "SHA-256 is"),
        (altered(whole.len() - 1), "SHA-256 is"),
    ] {
        write(&place.bucket, FILE, &damaged).await.unwrap();
        is_refused(place, piece, target, words).await;
    }
    // Size and checksum fit, but the content is incomplete: age notices.
    let cut = &whole[..2 * PART];
    write(&place.bucket, FILE, cut).await.unwrap();
    let sha256 = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(cut));
    let as_cut = Piece { bytes: cut.len() as u64, sha256, ..piece.clone() };
    is_refused(place, &as_cut, target, "is damaged").await;
    place.bucket.delete(&path(FILE)).await.unwrap();
    is_refused(place, piece, target, "is missing").await;
    write(&place.bucket, FILE, &whole).await.unwrap();
    write_keys(&place.keys.path().join("other"), &Identity::generate());
    let recipients = [Identity::generate().to_public().to_string()];
    let other = Files::at(Arc::new(place.bucket.clone()), &recipients, Some(place.keys.path().join("other"))).unwrap();
    let refused = other.load(AT, piece, target, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("No private key in")), "{refused:?}");
    assert_eq!(place.files.tables(target).await, Ok(0));
}

async fn is_refused(place: &InBucket, piece: &Piece, target: &Source, words: &str) {
    for refused in [
        place.files.check(AT, piece, &Progress::default()).await,
        place.files.load(AT, piece, target, &Progress::default()).await,
    ] {
        let refused = refused.unwrap_err();
        let BackupError::Damaged(said) = &refused else { panic!("{words}: {refused:?}") };
        assert!(said.contains(words) && said.contains("files/ocim-backups/17/42/"), "{words}: {said}");
    }
    assert_eq!(place.files.tables(target).await, Ok(0), "{words}");
}

#[tokio::test]
#[ignore = "needs MariaDB and Swift: make test-resources"]
async fn a_store_that_goes_away_in_mid_upload_leaves_nothing_that_counts_as_a_backup() {
    let (mariadb, mut swift) = (MariaDb::start().await, Swift::start().await);
    let (source, mut lock) = locked(&mariadb).await;
    lock.query_drop("UNLOCK TABLES").await.unwrap();
    // The digits of random numbers have half as many bytes when they are compressed.
    mariadb.execute("INSERT INTO ocim_old.big SELECT SHA2(RAND(seq), 512) FROM ocim_old.seq_1_to_200000").await;
    lock.query_drop("LOCK TABLES ocim_old.last WRITE").await.unwrap();
    let place = InBucket::new(of_swift(&swift).await);

    // It is cancelled.
    let dumping = Dumping::start(&place.files, &source);
    place.until_begun().await;
    dumping.progress.cancel.cancel();
    assert_eq!(dumping.task.await.unwrap(), Err(BackupError::Cancelled));
    place.until_aborted().await;

    // Its future is dropped, as that of a worker that ends.
    let dumping = Dumping::start(&place.files, &source);
    place.until_begun().await;
    dumping.task.abort();
    place.until_aborted().await;

    let dumping = Dumping::start(&place.files, &source);
    place.until_begun().await;
    swift.stop();
    lock.query_drop("UNLOCK TABLES").await.unwrap();
    let failed = dumping.task.await.unwrap().unwrap_err();
    let BackupError::Transient(words) = &failed else { panic!("{failed:?}") };
    assert!(words.contains("files/ocim-backups/17/42/mysql-main") && !words.contains("X-Amz"), "{words}");
    swift.resume().await;
    assert!(place.files.list().await.unwrap().is_empty() && place.files.has(AT).await == Ok(false));
    assert!(!place.objects.uploads("17/42/").await.unwrap().is_empty(), "it could not be aborted");
    // As each attempt begins.
    place.files.delete(AT).await.unwrap();
    assert!(place.objects.uploads("").await.unwrap().is_empty());
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    place.files.check(AT, &piece, &Progress::default()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_store_that_goes_away_while_a_file_is_read_is_no_damage() {
    let mut swift = Swift::start().await;
    let (place, _) = of_swift(&swift).await;
    write(&place, FILE, &content(3 * PART)).await.unwrap();
    let stored = place.open(&path(FILE), &CancellationToken::new()).await.unwrap().unwrap();
    swift.stop();
    let read = tokio::task::spawn_blocking(move || std::io::copy(&mut { stored.content }, &mut std::io::sink()));
    let error = read.await.unwrap().unwrap_err();
    let failed = place.failed(&path(FILE), &error);
    assert!(matches!(&failed, BackupError::Transient(words) if !words.contains("X-Amz")), "{failed:?}");
    swift.resume().await;
    // Another object of the same name is not mixed with the first one.
    let stored = place.open(&path(FILE), &CancellationToken::new()).await.unwrap().unwrap();
    write(&place, FILE, &vec![7; 3 * PART]).await.unwrap();
    let read = tokio::task::spawn_blocking(move || std::io::copy(&mut { stored.content }, &mut std::io::sink()));
    let failed = place.failed(&path(FILE), &read.await.unwrap().unwrap_err());
    assert!(matches!(&failed, BackupError::Damaged(words) if words.contains("replaced")), "{failed:?}");
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn what_keeps_a_bucket_from_being_used_is_said_with_what_to_do() {
    let mut swift = Swift::start().await;
    let all_fail = async |place: &Bucket, words: &str| {
        let never = CancellationToken::new();
        let file: PlacePath = path(FILE);
        for failed in [
            place.check().await,
            write(place, FILE, b"x").await,
            write(place, FILE, &content(PART + 1)).await,
            place.open(&file, &never).await.map(drop),
            place.size(&file).await.map(drop),
            place.entries(None).await.map(drop),
            place.delete_folder(&path("17/42")).await,
        ] {
            let said = failed.unwrap_err().to_string();
            assert!(said.contains(words) && said.contains("files/ocim-backups"), "{words}: {said}");
            assert!(!said.contains("X-Amz") && !said.contains("ey-1"), "{said}");
        }
    };
    let place = bucket(objects(swift.port, "ocim:admin", "k/ey-1"));
    all_fail(&place, "there is no bucket `ocim-backups`; create it").await;
    place.watch();
    until("it is noticed", async || place.trouble().is_some_and(|words| words.contains("there is no bucket"))).await;
    swift.ask(Some("ocim"), reqwest::Method::PUT, NAME, "").await;
    until("it is noticed", async || place.trouble().is_none()).await;

    all_fail(&bucket(objects(swift.port, "ocim:admin", "wr0ng-k/ey-1")), "check key and secret in `url`").await;
    all_fail(&bucket(objects(swift.port, "strangers:admin", "stranger-1")), "there is no bucket").await;
    swift.stop();
    let away = bucket(objects(swift.port, "ocim:admin", "k/ey-1"));
    all_fail(&away, "").await;
    assert!(matches!(away.check().await, Err(BackupError::Transient(_))));
    until("it is noticed", async || place.trouble().is_some()).await;
    swift.resume().await;
    until("it is noticed", async || place.trouble().is_none()).await;
    write(&place, FILE, b"x").await.unwrap();
}

/// A store whose connections are cut off again and again.
#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn requests_are_repeated_when_connections_break() {
    let moto = Moto::start().await;
    of_moto(&moto).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), moto.port);
    tokio::spawn(async move {
        for number in 0_u32.. {
            let (mut near, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let copied = tokio::io::copy_bidirectional(&mut near, &mut far);
                // Every second connection ends soon, in the middle of something.
                let limit = Duration::from_millis(if number.is_multiple_of(2) { 30 } else { 20_000 });
                let _ = tokio::time::timeout(limit, copied).await;
            });
        }
    });
    let place = Bucket::new(objects(port, "k", "s"), "files/ocim-backups", transfer(5));
    let text = content(4 * PART);
    write(&place, FILE, &text).await.unwrap();
    assert!(read(&place, FILE).await.unwrap() == text);
}
