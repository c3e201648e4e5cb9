//! Servers that end in the middle, and work that is stopped: nothing is left, neither a file nor a process.

use mysql_async::prelude::Queryable as _;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _};

use super::{AT, Dumping, Place, locked, make, processes};
use crate::app::until;
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::{only, servers};

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_mariadb_that_ends_in_the_middle_of_a_dump_leaves_nothing() {
    let mut mariadb = MariaDb::start().await;
    let (source, lock) = locked(&mariadb).await;
    let place = Place::new();
    let dumping = Dumping::start(&place.files, &source);
    dumping.until_read(4_000_000).await;
    assert!(place.file().ends_with("17/42/mysql-main.sql.zst.age.partial"));
    assert_eq!(place.files.list().await.unwrap(), [AT]);
    mariadb.stop();
    let failed = dumping.task.await.unwrap().unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("Lost connection")), "{failed:?}");
    assert!(place.everything().is_empty());
    let failed = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("Can't connect")), "{failed:?}");
    assert!(place.everything().is_empty());
    drop(lock);
    mariadb.resume().await;
    place.files.dump(AT, &source, &Progress::default()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn a_postgresql_that_ends_in_the_middle_of_a_dump_leaves_nothing() {
    let postgres = Postgres::start().await;
    let server = only(&servers(&postgres.table()));
    let source = make(&*server, "ocim_old").await;
    let client = postgres.connect("ocim_u", super::PASSWORD, "ocim_old").await.unwrap();
    client.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    client.batch_execute("BEGIN; LOCK TABLE t").await.unwrap();
    let place = Place::new();
    let dumping = Dumping::start(&place.files, &source);
    let root = postgres.root().await;
    until("the dump waits for the lock", async || {
        let query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
        root.query_opt(query, &[]).await.unwrap().is_some()
    })
    .await;
    assert_eq!(place.everything().len(), 1);
    postgres.stop().await;
    let failed = dumping.task.await.unwrap().unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(_)), "{failed:?}");
    assert!(place.everything().is_empty());
    let failed = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("Connection refused")), "{failed:?}");
    assert!(place.everything().is_empty());
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_dump_that_is_cancelled_or_dropped_leaves_nothing() {
    let mariadb = MariaDb::start().await;
    let (source, mut lock) = locked(&mariadb).await;
    let place = Place::new();
    let own = || processes("mariadb-dump").iter().filter(|one| one.arguments.contains("ocim_old")).count();
    let dumping = Dumping::start(&place.files, &source);
    dumping.until_read(4_000_000).await;
    assert!(own() > 0);
    let second = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&second, BackupError::Transient(words) if words.contains("another program")), "{second:?}");
    dumping.progress.cancel.cancel();
    assert_eq!(dumping.task.await.unwrap(), Err(BackupError::Cancelled));
    assert!(place.everything().is_empty());
    until("its program is gone", async || own() == 0).await;

    let dumping = Dumping::start(&place.files, &source);
    dumping.until_read(4_000_000).await;
    dumping.task.abort();
    until("its file and its program are gone", async || place.everything().is_empty() && own() == 0).await;

    lock.query_drop("UNLOCK TABLES").await.unwrap();
    let stopped = Progress::default();
    stopped.cancel.cancel();
    assert_eq!(place.files.dump(AT, &source, &stopped).await, Err(BackupError::Cancelled));
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    assert_eq!(place.files.check(AT, &piece, &stopped).await, Err(BackupError::Cancelled));
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_load_ends_with_its_server_and_when_it_is_cancelled() {
    let mut mariadb = MariaDb::start().await;
    let (source, mut lock) = locked(&mariadb).await;
    lock.query_drop("UNLOCK TABLES").await.unwrap();
    let target = make(&*only(&servers(&mariadb.table(""))), "ocim_new").await;
    let place = Place::new();
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    // Nothing can be made now.
    lock.query_drop("FLUSH TABLES WITH READ LOCK").await.unwrap();
    let load = |progress: &Progress| {
        let (files, piece, target, progress) = (place.files.clone(), piece.clone(), target.clone(), progress.clone());
        tokio::spawn(async move { files.load(AT, &piece, &target, &progress).await })
    };
    let waits = async || {
        let query =
            "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'ocim_new' AND state LIKE 'Waiting%'";
        mariadb.root().await.query_first::<u32, _>(query).await.unwrap() == Some(1)
    };
    let own = || processes("--binary-mode").iter().filter(|one| one.arguments.contains("ocim_new")).count();
    let progress = Progress::default();
    let loading = load(&progress);
    until("the load waits", waits).await;
    assert!(own() > 0);
    progress.cancel.cancel();
    assert_eq!(loading.await.unwrap(), Err(BackupError::Cancelled));
    until("its program is gone", async || own() == 0).await;
    until("the server has noticed", async || !waits().await).await;

    let loading = load(&Progress::default());
    until("the load waits", waits).await;
    mariadb.stop();
    let failed = loading.await.unwrap().unwrap_err();
    assert!(matches!(&failed, BackupError::Transient(words) if words.contains("Lost connection")), "{failed:?}");
}
