//! Files that are not what was written, and keys that are lost: refused before anything reaches a server.

use std::fs;

use age::x25519::Identity;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _, Piece, Source};

use super::{AT, Place, files, make, write_keys};
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::{only, servers};

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn nothing_of_a_damaged_file_reaches_mariadb() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    mariadb.execute("CREATE TABLE ocim_old.t (a LONGTEXT)").await;
    mariadb.execute("INSERT INTO ocim_old.t SELECT SHA2(RAND(seq), 512) FROM ocim_old.seq_1_to_5000").await;
    refuses_all(&source, &target).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn nothing_of_a_damaged_file_reaches_postgresql() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    let client = postgres.connect("ocim_u", super::PASSWORD, "ocim_old").await.unwrap();
    client
        .batch_execute("CREATE TABLE t AS SELECT sha512(random()::text::bytea) AS a FROM generate_series(1, 5000)")
        .await
        .unwrap();
    refuses_all(&source, &target).await;
    drop(client);
    postgres.stop().await;
}

/// Damages the backup of the source in several ways. The target stays without a table.
async fn refuses_all(source: &Source, target: &Source) {
    let place = Place::new();
    let piece = place.files.dump(AT, source, &Progress::default()).await.unwrap();
    let file = place.file();
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 200_000, "{}", whole.len());
    for (length, words) in [(0, "size is 0 bytes"), (100_000, "size is 100000 bytes"), (whole.len() - 1, "size is")] {
        fs::write(&file, &whole[..length]).unwrap();
        is_damaged(&place, &piece, target, words).await;
    }
    for position in [0, 100_000, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[position] ^= 1;
        fs::write(&file, altered).unwrap();
        is_damaged(&place, &piece, target, "SHA-256 is").await;
    }
    // Size and checksum fit, but the content is incomplete: age notices.
    for length in [100, 100_000, whole.len() - 20] {
        fs::write(&file, &whole[..length]).unwrap();
        let bytes = u64::try_from(length).unwrap();
        let sha256 = sha256(&whole[..length]);
        let cut = Piece { bytes, sha256, ..piece.clone() };
        place.files.check(AT, &cut, &Progress::default()).await.unwrap();
        is_refused(&place, &cut, target, "is damaged").await;
    }
    fs::remove_file(&file).unwrap();
    is_damaged(&place, &piece, target, "is missing").await;

    fs::write(&file, &whole).unwrap();
    let keys = place.dir.path().join("keys");
    write_keys(&keys, &Identity::generate());
    let refused = place.files.load(AT, &piece, target, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("No private key in")), "{refused:?}");
    assert_eq!(place.files.why_no_restore(), None);
    fs::remove_file(&keys).unwrap();
    let refused = place.files.load(AT, &piece, target, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("cannot be read")), "{refused:?}");
    assert!(place.files.why_no_restore().is_some_and(|words| words.contains("cannot be read")));
    assert_eq!(place.files.tables(target).await, Ok(0));

    // The key is found again.
    write_keys(&keys, &place.key);
    let again = files(&place.backups(), &Identity::generate(), &keys);
    again.load(AT, &piece, target, &Progress::default()).await.unwrap();
    assert_eq!(again.tables(target).await, Ok(piece.tables));
}

async fn is_damaged(place: &Place, piece: &Piece, target: &Source, words: &str) {
    let found = place.files.check(AT, piece, &Progress::default()).await.unwrap_err();
    assert!(matches!(&found, BackupError::Damaged(said) if said.contains(words)), "{words}: {found:?}");
    is_refused(place, piece, target, words).await;
}

async fn is_refused(place: &Place, piece: &Piece, target: &Source, words: &str) {
    let refused = place.files.load(AT, piece, target, &Progress::default()).await.unwrap_err();
    let BackupError::Damaged(said) = &refused else { panic!("{words}: {refused:?}") };
    assert!(said.contains(words) && said.contains("17/42/"), "{words}: {said}");
    assert_eq!(place.files.tables(target).await, Ok(0), "{words}");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(bytes))
}
