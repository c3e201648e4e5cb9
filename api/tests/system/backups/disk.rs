//! A disk without room.

use std::fs;
use std::path::{Path, PathBuf};

use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _};

use super::{AT, Place, everything, make};
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::{only, run, servers};

/// A small file system, mounted until dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Self {
        fs::create_dir_all(at).unwrap();
        run("mount", &["-t", "tmpfs", "-o", "size=2m", "tmpfs", at.to_str().unwrap()]);
        Self(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &[self.0.to_str().unwrap()]);
    }
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_full_disk_is_told_and_the_earlier_backup_stays() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let source = make(&*server, "ocim_old").await;
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(&dir.path().join("small"));
    let place = Place::at(dir, "small");
    mariadb.execute("CREATE TABLE ocim_old.t (a LONGTEXT)").await;
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    // The digits of random numbers have half as many bytes when they are compressed.
    mariadb.execute("INSERT INTO ocim_old.t SELECT SHA2(RAND(seq), 512) FROM ocim_old.seq_1_to_50000").await;
    for at in [AT, "17/43"] {
        let failed = place.files.dump(at, &source, &Progress::default()).await.unwrap_err();
        let BackupError::Transient(words) = &failed else { panic!("{failed:?}") };
        let expected = format!("{} is full (free: ", disk.0.display());
        assert!(words.contains(&expected) && words.contains("MB"), "{words}");
        assert_eq!(everything(&disk.0).len(), 1, "{at}");
        place.files.check(AT, &piece, &Progress::default()).await.unwrap();
    }
    mariadb.execute("DELETE FROM ocim_old.t LIMIT 49000").await;
    place.files.dump("17/43", &source, &Progress::default()).await.unwrap();
    drop(disk);
}
