#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use super::place::*;
use super::*;

fn place() -> (tempfile::TempDir, Place) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::of(dir.path().to_owned()).unwrap();
    (dir, place)
}

#[test]
fn a_directory_that_cannot_be_used_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, words) in
        [(dir.path().join("none"), "No such file"), (file, "is no directory"), ("/proc".into(), "not writable")]
    {
        let refused = Place::of(path.clone()).unwrap_err();
        assert!(refused.contains(words) && refused.contains(&path.display().to_string()), "{refused}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn no_name_leads_out_of_the_directory() {
    let (dir, place) = place();
    for at in ["", "/", "1", "1/", "/2", "1/2/3", "../1", "1/..", "1/.", "-1/2", "1/2 ", "a/1", "1//2", "١/٢"] {
        let refused = place.file(at, ResourceKind::Mysql, "main").unwrap_err();
        assert!(
            matches!(&refused, BackupError::Permanent(words) if words.contains("names no backup")),
            "{at}: {refused:?}"
        );
        assert!(place.delete(at).is_err() && place.begin(at, ResourceKind::Mysql, "main").is_err(), "{at}");
    }
    for name in ["", "a/b", "..", "a.b", "a\0", "ä", &"a".repeat(65)] {
        let refused = place.file("1/2", ResourceKind::Mysql, name).unwrap_err();
        assert!(
            matches!(&refused, BackupError::Permanent(words) if words.contains("cannot name a file")),
            "{name}: {refused:?}"
        );
    }
    let file = place.file("17/42", ResourceKind::Postgresql, "main").unwrap();
    assert_eq!(file, dir.path().join("17/42/postgresql-main.sql.zst.age"));
}

#[test]
fn a_file_has_its_name_only_when_it_is_complete() {
    let (dir, place) = place();
    let begin = || place.begin("1/2", ResourceKind::Mysql, "main");
    let complete = place.file("1/2", ResourceKind::Mysql, "main").unwrap();
    let partial = begin().unwrap();
    partial.file().write_all(b"half").unwrap();
    assert!(partial.path().to_str().unwrap().ends_with("/1/2/mysql-main.sql.zst.age.partial"));
    assert_eq!(fs::metadata(partial.path()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(dir.path().join("1/2")).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(matches!(begin(), Err(BackupError::Transient(words)) if words.contains("another program")));
    assert!(!complete.exists());
    drop(partial);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a failed one leaves nothing");

    for text in ["first", "second"] {
        let partial = begin().unwrap();
        partial.file().write_all(text.as_bytes()).unwrap();
        partial.keep().unwrap();
        assert_eq!(fs::read_to_string(&complete).unwrap(), text);
    }
    drop(begin().unwrap());
    assert_eq!(fs::read_to_string(&complete).unwrap(), "second", "a failed one leaves the earlier one");
    fs::write(complete.with_extension("age.partial"), "of a program that was killed").unwrap();
    begin().unwrap().keep().unwrap();
    assert_eq!(fs::read_to_string(&complete).unwrap(), "");
}

#[test]
fn backups_are_listed_and_deleted_and_other_things_are_let_alone() {
    let (dir, place) = place();
    for made in ["2/10", "2/9", "10/1", "lost+found/1", "3/x", "4"] {
        fs::create_dir_all(dir.path().join(made)).unwrap();
    }
    fs::write(dir.path().join("7"), "").unwrap();
    fs::write(dir.path().join("2/11"), "").unwrap();
    fs::write(dir.path().join("2/9/mysql-main.sql.zst.age.partial"), "").unwrap();
    assert_eq!(place.list().unwrap(), ["2/9", "2/10", "10/1"]);
    for at in ["2/9", "2/9", "10/1", "77/1"] {
        place.delete(at).unwrap();
    }
    assert_eq!(place.list().unwrap(), ["2/10"]);
    assert!(!dir.path().join("10").exists() && dir.path().join("lost+found/1").exists());
    fs::remove_dir_all(dir.path()).unwrap();
    assert!(place.list().is_err(), "a place that is gone is not an empty one");
    let failed = place.begin("1/2", ResourceKind::Mysql, "main").unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("No such file")), "{failed:?}");
    assert!(!dir.path().exists(), "it may be a disk that is not mounted");
}
