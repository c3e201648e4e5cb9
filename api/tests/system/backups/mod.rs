//! Backups of databases at a real MariaDB and a real PostgreSQL on loopback, by their own programs, in directories and in buckets of
//! Swift's interface of S3 and of moto. `make test-resources`.

mod away;
mod bucket;
mod buckets;
mod contract;
mod damage;
mod disk;
mod measured;
mod mysql;
mod postgresql;
mod secrecy;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use mysql_async::prelude::Queryable as _;
use ocim::backups::port::Progress;
use ocim::backups::{BackupError, Backups as _, Files, Source};
use ocim::resources::server::{Attempt, ResourceServer};

use super::resources::mariadb::MariaDb;
use super::resources::{account, only, servers};
use crate::app::until;

/// The account's password: no character of it may be taken for anything else.
const PASSWORD: &str = r##"p4ss #;'"\ :=wörd"##;
/// The backup of most tests.
const AT: &str = "17/42";

/// A directory of backups with a pair of keys.
struct Place {
    dir: tempfile::TempDir,
    key: Identity,
    files: Arc<Files>,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("backups")).unwrap();
        Self::at(dir, "backups")
    }

    /// In a directory below this one.
    fn at(dir: tempfile::TempDir, below: &str) -> Self {
        let key = Identity::generate();
        write_keys(&dir.path().join("keys"), &key);
        let files = files(&dir.path().join(below), &key, &dir.path().join("keys"));
        Self { dir, key, files }
    }

    fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    /// The only file that is there.
    fn file(&self) -> PathBuf {
        let [file] = &self.everything()[..] else { panic!("{:?}", self.everything()) };
        file.clone()
    }

    /// All files below the directory of backups.
    fn everything(&self) -> Vec<PathBuf> {
        everything(&self.backups())
    }
}

fn files(directory: &Path, key: &Identity, keys: &Path) -> Arc<Files> {
    Arc::new(Files::new(directory.to_owned(), &[key.to_public().to_string()], Some(keys.to_owned())).unwrap())
}

fn write_keys(file: &Path, key: &Identity) {
    fs::write(file, key.to_string().expose_secret()).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// All files below this directory, and directories without one.
fn everything(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            let below = everything(&entry.path());
            found.extend(if below.is_empty() { vec![entry.path()] } else { below });
        } else {
            found.push(entry.path());
        }
    }
    found
}

/// Makes the account, if it is missing, and a database of it.
async fn make(server: &dyn ResourceServer, database: &str) -> Source {
    let account = account("ocim_u", PASSWORD);
    server.make_account(&account, Attempt::Again).await.unwrap();
    server.make_database(database, "ocim_u", Attempt::First).await.unwrap();
    let (endpoint, database) = (server.endpoint().clone(), database.to_owned());
    Source { kind: server.kind(), name: "main".to_owned(), database, endpoint, ca_file: None, account }
}

/// A database whose dump stops at its last table, which the connection has locked.
async fn locked(mariadb: &MariaDb) -> (Source, mysql_async::Conn) {
    let server = only(&servers(&mariadb.table("")));
    let source = make(&*server, "ocim_old").await;
    mariadb.execute("CREATE TABLE ocim_old.big (t LONGTEXT)").await;
    mariadb.execute("INSERT INTO ocim_old.big VALUES (REPEAT('x', 4000000))").await;
    mariadb.execute("CREATE TABLE ocim_old.last (n INT)").await;
    let mut lock = mariadb.root().await;
    lock.query_drop("LOCK TABLES ocim_old.last WRITE").await.unwrap();
    (source, lock)
}

/// A dump that goes on beside the test.
struct Dumping {
    progress: Progress,
    task: tokio::task::JoinHandle<Result<ocim::backups::Piece, BackupError>>,
}

impl Dumping {
    fn start(files: &Arc<Files>, source: &Source) -> Self {
        let (progress, files, source) = (Progress::default(), files.clone(), source.clone());
        let own = progress.clone();
        let task = tokio::spawn(async move { files.dump(AT, &source, &own).await });
        Self { progress, task }
    }

    /// Waits until this many bytes have come.
    async fn until_read(&self, bytes: u64) {
        until("the dump goes on", async || {
            assert!(!self.task.is_finished(), "it ended");
            self.progress.bytes.load(Ordering::Relaxed) >= bytes
        })
        .await;
    }
}

/// The arguments and the environment of a process.
struct Seen {
    arguments: String,
    environment: String,
}

/// The processes with this text among their arguments.
fn processes(text: &str) -> Vec<Seen> {
    let read = |pid: &str, file: &str| {
        fs::read(format!("/proc/{pid}/{file}")).map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
    };
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let seen = pids.filter_map(|pid| {
        Some(Seen { arguments: read(&pid, "cmdline").ok()?, environment: read(&pid, "environ").ok()? })
    });
    seen.filter(|one| one.arguments.contains(text)).collect()
}
