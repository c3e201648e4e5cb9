//! What every place of backups must do: the same assertions for a directory and for buckets.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use ocim::backups::BackupError;
use ocim::backups::files::place::bucket::{Bucket, PartSizes, Transfer};
use ocim::backups::files::place::{Directory, Entry, Place, PlacePath};
use ocim::resources::providers::s3::{Addressing, Objects};
use ocim::resources::providers::{Emptying, ObjectStore};
use ocim::resources::server::{Account, Endpoint};
use ocim::resources::tls::Tls;
use tokio_util::sync::CancellationToken;

use crate::app::until;
use crate::system::resources::moto::Moto;
use crate::system::resources::swift::Swift;

/// The name of the bucket.
pub(super) const NAME: &str = "ocim-backups";
/// The smallest part that stores take, if another one follows.
pub(super) const PART: usize = 5 << 20;

/// A bucket of the store at this port, which must exist.
pub(super) fn objects(port: u16, user: &str, key: &str) -> Objects {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let at = ObjectStore {
        url: format!("http://127.0.0.1:{port}").parse().unwrap(),
        account: Account { username: user.to_owned(), password: key.to_owned().into() },
        tls: Tls::Off,
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port, has_tls: false },
        emptying: Emptying::default(),
    };
    Objects::new(&at, None, Addressing::Path, NAME).unwrap()
}

/// The bucket as the place, with small parts, and without patience.
pub(super) fn bucket(objects: Objects) -> Bucket {
    Bucket::new(objects, "files/ocim-backups", transfer(1))
}

/// Requests that may succeed are sent again so often.
pub(super) fn transfer(again: usize) -> Transfer {
    Transfer {
        parts: PartSizes { first: PART, doubles_after: 2, most: 3 * PART },
        read: 1_000_000,
        pauses: vec![Duration::from_millis(10); again],
        check_usable: Duration::from_millis(50),
        check_unusable: Duration::from_millis(50),
    }
}

/// A bucket of Swift that exists.
pub(super) async fn of_swift(swift: &Swift) -> (Bucket, Objects) {
    swift.ask(Some("ocim"), reqwest::Method::PUT, NAME, "").await;
    let own = || objects(swift.port, "ocim:admin", "k/ey-1");
    (bucket(own()), own())
}

/// A bucket of moto that exists.
pub(super) async fn of_moto(moto: &Moto) -> (Bucket, Objects) {
    moto.put_bucket(NAME, None).await;
    (bucket(objects(moto.port, "k", "s")), objects(moto.port, "k", "s"))
}

pub(super) fn path(text: &str) -> PlacePath {
    PlacePath::parse(text).unwrap()
}

/// Bytes of which no two megabytes are the same.
pub(super) fn content(length: usize) -> Vec<u8> {
    let numbers = (0_u64..).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    numbers.take(length).collect()
}

/// Writes a file.
pub(super) async fn write(place: &dyn Place, at: &str, content: &[u8]) -> Result<(), BackupError> {
    let (mut unfinished, at, content) =
        (place.begin(&path(at), &CancellationToken::new()).await?, path(at), content.to_vec());
    let written = tokio::task::spawn_blocking(move || match unfinished.write_all(&content) {
        Ok(()) => Ok(unfinished.keep()),
        Err(error) => Err(error),
    });
    written.await.unwrap().unwrap_or_else(|error| Err(place.failed(&at, &error)))
}

/// The content of a file; none: it is missing.
pub(super) async fn read(place: &dyn Place, at: &str) -> Option<Vec<u8>> {
    let stored = place.open(&path(at), &CancellationToken::new()).await.unwrap()?;
    let (bytes, mut from) = (stored.bytes, stored.content);
    let read = tokio::task::spawn_blocking(move || {
        let mut content = Vec::new();
        from.read_to_end(&mut content).unwrap();
        content
    });
    let read = read.await.unwrap();
    assert_eq!(read.len() as u64, bytes, "{at}");
    Some(read)
}

async fn entries(place: &dyn Place, folder: &str) -> Vec<Entry> {
    let folder = Some(folder).filter(|folder| !folder.is_empty()).map(path);
    let mut found = place.entries(folder.as_ref()).await.unwrap();
    found.sort();
    found
}

fn folder(name: &str) -> Entry {
    Entry::Folder { name: name.to_owned() }
}

fn file(name: &str, bytes: usize) -> Entry {
    Entry::File { name: name.to_owned(), bytes: bytes as u64 }
}

/// Goes through the life of files, each call twice.
async fn keeps_the_contract(place: &dyn Place) {
    let never = CancellationToken::new();
    for missing in ["1/2/a", "1"] {
        assert_eq!(place.size(&path(missing)).await, Ok(None));
        assert!(place.open(&path(missing), &never).await.unwrap().is_none());
        assert_eq!(entries(place, missing).await, []);
        place.delete(&path(missing)).await.unwrap();
        place.delete_folder(&path(missing)).await.unwrap();
    }
    assert_eq!(entries(place, "").await, []);
    // Nothing, one part, exactly one and two, some of them larger.
    for length in [0, 1, 1_000_000, PART, 2 * PART, 2 * PART + 1, 8 * PART + 12_345] {
        for text in [content(length), vec![7; length]] {
            write(place, "17/42/a.age", &text).await.unwrap();
            assert_eq!(place.size(&path("17/42/a.age")).await, Ok(Some(length as u64)));
            assert!(read(place, "17/42/a.age").await.unwrap() == text, "{length}");
            assert_eq!(entries(place, "17/42").await, [file("a.age", length)]);
        }
    }
    // A reader that does not want all of it, and a writer that gives up.
    drop(place.open(&path("17/42/a.age"), &never).await.unwrap().unwrap());
    for length in [1, 3 * PART] {
        let mut unfinished = place.begin(&path("17/43/b.age"), &never).await.unwrap();
        let part = content(length);
        let unfinished = tokio::task::spawn_blocking(move || unfinished.write_all(&part).map(|()| unfinished));
        let unfinished = unfinished.await.unwrap().unwrap();
        assert_eq!(place.size(&path("17/43/b.age")).await, Ok(None), "it is unfinished");
        assert_eq!(entries(place, "17/43").await, []);
        drop(unfinished);
        assert_eq!(place.size(&path("17/43/b.age")).await, Ok(None), "it was given up");
        write(place, "17/43/b.age", b"whole").await.unwrap();
        assert_eq!(read(place, "17/43/b.age").await.as_deref(), Some(&b"whole"[..]));
        place.delete(&path("17/43/b.age")).await.unwrap();
    }
    // Folders end with their name, and go with their last file.
    for at in ["17/4", "17/421/a", "17/objects/s3-files/0a/x", "17/objects/s3-files/y", "3/1/a"] {
        write(place, at, at.as_bytes()).await.unwrap();
    }
    assert_eq!(entries(place, "").await, [folder("17"), folder("3")]);
    assert_eq!(entries(place, "17").await, [folder("42"), folder("421"), folder("objects"), file("4", 4)]);
    assert_eq!(entries(place, "17/objects/s3-files").await, [folder("0a"), file("y", 21)]);
    for _ in 0..2 {
        place.delete_folder(&path("17/42")).await.unwrap();
        place.delete(&path("17/objects/s3-files/0a/x")).await.unwrap();
    }
    assert_eq!(entries(place, "17").await, [folder("421"), folder("objects"), file("4", 4)]);
    assert_eq!(entries(place, "17/objects/s3-files").await, [file("y", 21)]);
    assert_eq!(read(place, "17/421/a").await.as_deref(), Some(&b"17/421/a"[..]));
    place.delete_folder(&path("17")).await.unwrap();
    place.delete_folder(&path("3")).await.unwrap();
    assert_eq!(entries(place, "").await, []);
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    keeps_the_contract(&Directory::of(dir.path().to_owned()).unwrap()).await;
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn a_bucket_keeps_the_contract_and_is_left_without_uploads() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    for (place, objects) in [of_swift(&swift).await, of_moto(&moto).await] {
        keeps_the_contract(&place).await;
        until("given up uploads are aborted", async || objects.uploads("").await.unwrap().is_empty()).await;
    }
}

#[tokio::test]
#[ignore = "needs moto: make test-resources"]
async fn more_than_a_page_of_files_is_listed_and_deleted() {
    let moto = Moto::start().await;
    let (place, _) = of_moto(&moto).await;
    moto.fill(NAME, 1003).await;
    write(&place, "b", b"stays").await.unwrap();
    assert_eq!(entries(&place, "a").await.len(), 1003);
    place.delete_folder(&path("a")).await.unwrap();
    assert_eq!(entries(&place, "").await, [file("b", 5)]);
}
