//! What a dump of MariaDB brings back.

use std::process::Command;
use std::sync::atomic::Ordering;

use mysql_async::prelude::Queryable as _;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _};

use super::{AT, PASSWORD, Place, make};
use crate::system::resources::mariadb::MariaDb;
use crate::system::resources::{only, servers};

/// What an application may have in a database.
const CONTENT: &[&str] = &[
    "CREATE TABLE `odd ``name` (id INT PRIMARY KEY AUTO_INCREMENT, a VARCHAR(50), b BLOB, c JSON, d DATETIME(6), e TIMESTAMP NULL)",
    "INSERT INTO `odd ``name` (a, b, c, d, e) VALUES ('\u{1F9A9} é ''\\\\', x'00ff27225c0a0d1a', '{\"k\": \"\u{1F9A9}\"}', \
     '2026-01-02 03:04:05.678901', '2026-01-02 03:04:05'), (NULL, NULL, NULL, NULL, NULL), ('', '', '[]', NULL, NULL)",
    "CREATE TABLE child (parent INT, FOREIGN KEY (parent) REFERENCES `odd ``name` (id))",
    "INSERT INTO child VALUES (1), (3)",
    "CREATE TABLE log (a VARCHAR(50))",
    "CREATE VIEW v AS SELECT a FROM `odd ``name` WHERE a IS NOT NULL",
    "CREATE TRIGGER g AFTER INSERT ON child FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.parent); END",
    "CREATE PROCEDURE p() BEGIN INSERT INTO log VALUES ('p'); SELECT f(); END",
    "CREATE FUNCTION f() RETURNS VARCHAR(9) CHARSET utf8mb4 DETERMINISTIC BEGIN RETURN '\u{1F9A9};'; END",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM log; DELETE FROM child; END",
];

/// Everything of the database, for a comparison.
async fn content(mariadb: &MariaDb, database: &str) -> Vec<String> {
    let mut conn = mariadb.connect("ocim_u", PASSWORD, None).await.unwrap();
    conn.query_drop(format!("USE {database}")).await.unwrap();
    let mut all = Vec::new();
    for query in [
        "SELECT CONCAT_WS('|', id, a, HEX(a), HEX(b), c, d, e) FROM `odd ``name` ORDER BY id",
        "SELECT CONCAT(parent) FROM child ORDER BY 1",
        "SELECT a FROM v ORDER BY a",
        "SELECT CONCAT(table_name, table_type, COALESCE(table_collation, '')) FROM information_schema.tables \
         WHERE table_schema = DATABASE() ORDER BY 1",
        "SELECT CONCAT(trigger_name, action_statement) FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
        "SELECT CONCAT(routine_name, routine_definition) FROM information_schema.routines \
         WHERE routine_schema = DATABASE() ORDER BY 1",
        "SELECT CONCAT(event_name, event_definition, status) FROM information_schema.events WHERE event_schema = DATABASE()",
    ] {
        let rows: Vec<String> = conn.query(query).await.unwrap();
        assert!(!rows.is_empty(), "{query}");
        all.extend(rows);
    }
    all
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_database_comes_back_with_all_that_belongs_to_it() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    let mut conn = mariadb.connect("ocim_u", PASSWORD, None).await.unwrap();
    conn.query_drop("USE ocim_old").await.unwrap();
    for statement in CONTENT {
        conn.query_drop(*statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    let (place, progress) = (Place::new(), Progress::default());
    assert_eq!(place.files.tables(&source).await, Ok(3));
    let piece = place.files.dump(AT, &source, &progress).await.unwrap();
    assert_eq!((piece.tables, piece.name.as_str()), (3, "main"));
    let dumped = progress.bytes.load(Ordering::Relaxed);
    assert!(dumped > 1000, "{dumped}");
    assert!(place.file().ends_with("17/42/mysql-main.sql.zst.age"));
    assert_eq!(place.files.list().await.unwrap(), [AT]);
    place.files.check(AT, &piece, &Progress::default()).await.unwrap();

    let loaded = Progress::default();
    place.files.load(AT, &piece, &target, &loaded).await.unwrap();
    assert!(loaded.bytes.load(Ordering::Relaxed) > dumped - 100);
    assert_eq!(content(&mariadb, "ocim_new").await, content(&mariadb, "ocim_old").await);
    assert_eq!(place.files.tables(&target).await, Ok(3));
    // They work, and do not only exist.
    conn.query_drop("USE ocim_new").await.unwrap();
    conn.query_drop("INSERT INTO child VALUES (1)").await.unwrap();
    let said: Option<String> = conn.query_first("CALL p()").await.unwrap();
    assert_eq!(said.as_deref(), Some("\u{1F9A9};"));
    let logged: Vec<String> = conn.query("SELECT a FROM log ORDER BY 1").await.unwrap();
    assert_eq!(logged, ["1", "p"]);

    let refused = place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("has 3 tables")), "{refused:?}");
    place.files.delete(AT).await.unwrap();
    place.files.delete(AT).await.unwrap();
    assert!(place.everything().is_empty());
}

/// By the commands of docs/backups.md.
#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn a_backup_is_read_by_hand_with_the_programs_of_age_and_zstd() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let source = make(&*server, "ocim_old").await;
    mariadb.execute("CREATE TABLE ocim_old.t (a TEXT)").await;
    mariadb.execute("INSERT INTO ocim_old.t VALUES ('by hand')").await;
    let place = Place::new();
    place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    let script = "set -o pipefail; age --decrypt --identity keys backups/17/42/mysql-main.sql.zst.age | zstd --decompress > main.sql";
    let status = Command::new("bash").args(["-c", script]).current_dir(place.dir.path()).status().unwrap();
    assert!(status.success());
    let text = std::fs::read_to_string(place.dir.path().join("main.sql")).unwrap();
    assert!(text.starts_with("/*M!999999\\- enable the sandbox mode */"), "{}", text.lines().next().unwrap());
    assert!(text.contains("INSERT INTO `t` VALUES") && text.contains("'by hand'"));
    assert!(text.trim_end().ends_with("-- Dump completed"), "{}", text.lines().last().unwrap());
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn the_dump_is_as_of_one_moment_and_nothing_waits_for_it() {
    let mariadb = MariaDb::start().await;
    let server = only(&servers(&mariadb.table("")));
    let (source, target) = (make(&*server, "ocim_old").await, make(&*server, "ocim_new").await);
    mariadb.execute("CREATE TABLE ocim_old.a (n INT)").await;
    mariadb.execute("CREATE TABLE ocim_old.b (n INT)").await;
    mariadb.execute("CREATE TABLE ocim_old.big (t LONGTEXT)").await;
    mariadb.execute("INSERT INTO ocim_old.big VALUES (REPEAT('x', 4000000))").await;
    mariadb.execute("CREATE TABLE ocim_old.last (n INT)").await;
    let mut lock = mariadb.root().await;
    lock.query_drop("LOCK TABLES ocim_old.last WRITE").await.unwrap();
    let place = Place::new();
    let dumping = super::Dumping::start(&place.files, &source);
    dumping.until_read(4_000_000).await;
    // It has read `a`; whether it has read `b` already, does not matter either.
    mariadb.execute("INSERT INTO ocim_old.a VALUES (1)").await;
    mariadb.execute("INSERT INTO ocim_old.b VALUES (1)").await;
    lock.query_drop("INSERT INTO ocim_old.last VALUES (1)").await.unwrap();
    lock.query_drop("UNLOCK TABLES").await.unwrap();
    let piece = dumping.task.await.unwrap().unwrap();
    place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap();
    for table in ["a", "b", "last"] {
        let rows: Option<u32> =
            mariadb.root().await.query_first(format!("SELECT COUNT(*) FROM ocim_new.{table}")).await.unwrap();
        assert_eq!(rows, Some(0), "{table}");
    }
}

#[tokio::test]
#[ignore = "needs MariaDB: make test-resources"]
async fn with_tls_the_certificate_is_verified_for_each_program() {
    let mariadb = MariaDb::start().await;
    let authority = mariadb.authority();
    let table = format!(
        "[resources.main]\nkind = \"mysql\"\nurl = \"mysql://root:p%40ss%2Fword@localhost:{}\"\ntls = true\nca_file = \"{}\"\n",
        mariadb.port,
        authority.display()
    );
    let server = only(&servers(&table));
    let mut source = make(&*server, "ocim_old").await;
    let mut target = make(&*server, "ocim_new").await;
    assert!(source.endpoint.has_tls && source.endpoint.host == "localhost");
    mariadb.execute("CREATE TABLE ocim_old.t (n INT)").await;
    let place = Place::new();
    // No other authority is trusted, and no other name.
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("certificate")), "{refused:?}");
    source.ca_file = Some(authority.clone());
    target.ca_file = Some(authority);
    let piece = place.files.dump(AT, &source, &Progress::default()).await.unwrap();
    place.files.load(AT, &piece, &target, &Progress::default()).await.unwrap();
    assert_eq!(place.files.tables(&target).await, Ok(1));
    source.endpoint.host = "127.0.0.1".to_owned();
    let refused = place.files.dump(AT, &source, &Progress::default()).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(_)), "{refused:?}");
    // The account may not log in without TLS, so the programs did use it.
    (source.endpoint.host, source.endpoint.has_tls) = ("localhost".to_owned(), false);
    let refused = place.files.tables(&source).await.unwrap_err();
    assert!(matches!(&refused, BackupError::Permanent(words) if words.contains("1045")), "{refused:?}");
    assert!(place.files.check(AT, &piece, &Progress::default()).await.is_ok(), "the earlier backup stays");
}
