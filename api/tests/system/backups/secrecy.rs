//! Passwords are in no list of processes, in no message, and in no file that stays.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use mysql_async::prelude::Queryable as _;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _};

use super::{AT, Dumping, PASSWORD, Place, locked, make, processes};
use crate::app::until;
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::{only, servers};

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn the_password_for_mariadb_is_only_in_a_private_file() {
    let mariadb = MariaDb::start().await;
    let (mut source, mut lock) = locked(&mariadb).await;
    let place = Place::new();
    let dumping = Dumping::start(&place.files, &source);
    dumping.until_read(4_000_000).await;
    let file = looked(|arguments| arguments.split("--defaults-file=").nth(1).map(str::to_owned), "mariadb-dump");
    assert_private(&file);
    lock.query_drop("UNLOCK TABLES").await.unwrap();
    dumping.task.await.unwrap().unwrap();
    assert!(!fs::exists(&file).unwrap(), "{file} stays");

    source.account.password = "wr0ng-s3cret".to_owned().into();
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("Access denied")), "{refused:?}");
    assert!(!format!("{refused:?}{source:?}").contains("wr0ng"));
    source.account.username = "ocim_x".to_owned();
    assert!(matches!(place.files.tables(&source).await, Err(BackupError::Permanent(_))));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test-resources"]
async fn the_password_for_postgresql_is_only_in_a_private_file() {
    let postgres = Postgres::start().await;
    let mut source = make(&*only(&servers(&postgres.table())), "ocim_old").await;
    let client = postgres.connect("ocim_u", PASSWORD, "ocim_old").await.unwrap();
    client.batch_execute("CREATE TABLE t (n int)").await.unwrap();
    client.batch_execute("BEGIN; LOCK TABLE t").await.unwrap();
    let place = Place::new();
    let dumping = Dumping::start(&place.files, &source);
    let root = postgres.root().await;
    until("the dump runs", async || {
        let query = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'";
        root.query_opt(query, &[]).await.unwrap().is_some()
    })
    .await;
    let seen = processes("pg_dump");
    let environment = seen.iter().find_map(|one| one.environment.split("PGPASSFILE=").nth(1)).unwrap();
    let file = environment.split(' ').next().unwrap().to_owned();
    looked(|_| Some(String::new()), "pg_dump");
    assert_private(&file);
    client.batch_execute("COMMIT").await.unwrap();
    dumping.task.await.unwrap().unwrap();
    assert!(!fs::exists(&file).unwrap(), "{file} stays");

    source.account.password = "wr0ng-s3cret".to_owned().into();
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    let expected = "password authentication failed";
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains(expected)), "{refused:?}");
    assert!(!format!("{refused:?}{source:?}").contains("wr0ng"));
    drop((client, root));
    postgres.stop().await;
}

/// Asserts that the password is in no arguments and no environment, and gives what the function finds in the arguments of the program.
fn looked(find: impl Fn(&str) -> Option<String>, program: &str) -> String {
    let seen = processes("");
    let telling = &PASSWORD[..7];
    for one in &seen {
        assert!(!one.arguments.contains(telling) && !one.environment.contains(telling), "{}", one.arguments);
    }
    let own = seen.iter().filter(|one| one.arguments.contains(program)).find_map(|one| find(&one.arguments));
    own.unwrap().split(' ').next().unwrap().to_owned()
}

fn assert_private(file: &str) {
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = std::path::Path::new(file);
    assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700), "{file}");
    assert!(fs::read_to_string(path).unwrap().contains("p4ss"), "{file}");
}
