#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use tokio_util::sync::CancellationToken;

use super::*;

const FILE: &str = "1/2/mysql-main.sql.zst.age";

fn place() -> (tempfile::TempDir, Directory) {
    let dir = tempfile::tempdir().unwrap();
    let place = Directory::of(dir.path().to_owned()).unwrap();
    (dir, place)
}

fn path(text: &str) -> PlacePath {
    PlacePath::parse(text).unwrap()
}

async fn begin(place: &Directory) -> Result<Box<dyn Unfinished>, BackupError> {
    place.begin(&path(FILE), &CancellationToken::new()).await
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, words) in
        [(dir.path().join("none"), "No such file"), (file, "is no directory"), ("/proc".into(), "not writable")]
    {
        let refused = Directory::of(path.clone()).unwrap_err();
        assert!(refused.contains(words) && refused.contains(&path.display().to_string()), "{refused}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_has_its_name_only_when_it_is_complete() {
    let (dir, place) = place();
    let complete = dir.path().join(FILE);
    let partial = dir.path().join(format!("{FILE}.partial"));
    let mut unfinished = begin(&place).await.unwrap();
    unfinished.write_all(b"half").unwrap();
    assert_eq!(fs::read(&partial).unwrap(), b"half");
    assert_eq!(fs::metadata(&partial).unwrap().permissions().mode() & 0o777, 0o600);
    for folder in ["1", "1/2"] {
        assert_eq!(fs::metadata(dir.path().join(folder)).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let second = begin(&place).await.map(drop);
    assert!(matches!(second, Err(BackupError::Transient(words)) if words.contains("another program")));
    assert!(!complete.exists() && place.size(&path(FILE)).await == Ok(None));
    drop(unfinished);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a failed one leaves nothing");

    for text in ["first", "second"] {
        let mut unfinished = begin(&place).await.unwrap();
        unfinished.write_all(text.as_bytes()).unwrap();
        unfinished.keep().unwrap();
        assert_eq!(fs::read_to_string(&complete).unwrap(), text);
    }
    drop(begin(&place).await.unwrap());
    assert_eq!(fs::read_to_string(&complete).unwrap(), "second", "a failed one leaves the earlier one");
    fs::write(&partial, "of a program that was killed").unwrap();
    begin(&place).await.unwrap().keep().unwrap();
    assert_eq!(fs::read_to_string(&complete).unwrap(), "");
}

#[tokio::test]
async fn a_file_is_read_and_a_missing_one_is_told_from_one_that_cannot_be_read() {
    let (dir, place) = place();
    let open = async |text: &str| place.open(&path(text), &CancellationToken::new()).await;
    assert!(open("1/2/a").await.unwrap().is_none());
    fs::create_dir_all(dir.path().join("1/2")).unwrap();
    fs::write(dir.path().join("1/2/a"), "content").unwrap();
    let mut stored = open("1/2/a").await.unwrap().unwrap();
    let mut content = String::new();
    stored.content.read_to_string(&mut content).unwrap();
    assert_eq!((stored.bytes, content.as_str()), (7, "content"));
    assert_eq!(place.size(&path("1/2/a")).await, Ok(Some(7)));
    let broken = open("1/2/a/b").await.map(|_| ());
    assert!(matches!(&broken, Err(BackupError::Permanent(words)) if words.contains("Not a directory")), "{broken:?}");
}

#[tokio::test]
async fn folders_are_listed_and_deleted_and_other_things_are_let_alone() {
    let (dir, place) = place();
    for made in ["2/10", "2/9", "lost+found/1", "3/.x"] {
        fs::create_dir_all(dir.path().join(made)).unwrap();
    }
    fs::write(dir.path().join("2/11"), "abc").unwrap();
    fs::write(dir.path().join("2/9/a.partial"), "").unwrap();
    std::os::unix::fs::symlink("/", dir.path().join("5")).unwrap();
    let entries = async |folder: Option<&str>| {
        let mut found = place.entries(folder.map(path).as_ref()).await.unwrap();
        found.sort();
        found
    };
    let folder = |name: &str| Entry::Folder { name: name.to_owned() };
    assert_eq!(entries(None).await, [folder("2"), folder("3")]);
    let file = Entry::File { name: "11".to_owned(), bytes: 3 };
    assert_eq!(entries(Some("2")).await, [folder("10"), folder("9"), file.clone()]);
    for empty in ["2/9", "3", "77"] {
        assert_eq!(entries(Some(empty)).await, []);
    }
    for gone in ["2/9", "2/9", "2/10", "77/1"] {
        place.delete_folder(&path(gone)).await.unwrap();
    }
    assert_eq!(entries(Some("2")).await, [file]);
    for _ in 0..2 {
        place.delete(&path("2/11")).await.unwrap();
    }
    assert!(!dir.path().join("2").exists() && dir.path().join("lost+found/1").exists(), "empty ones are deleted");
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(place.entries(None).await.is_err(), "a place that is gone is not an empty one");
    let failed = begin(&place).await.map(drop).unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("No such file")), "{failed:?}");
    assert!(!dir.path().exists(), "it may be a disk that is not mounted");
}
