//! The life of the embedded Postgres: created, adopted, killed, recovered, stopped.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use ocim::platform::children::{ProcessId, Signal};
use ocim::platform::db::embedded::{EmbeddedError, EmbeddedOptions, EmbeddedPostgres};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::NoTls;

const OPTIONS: EmbeddedOptions = EmbeddedOptions { is_durable: false, start_timeout: Duration::from_secs(60) };

/// A data directory that any user may enter. A server that a failed test leaves is killed.
struct DataDir(tempfile::TempDir);

impl DataDir {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.path().join("postgres/data").exists() {
            for process in processes_of(self.path()) {
                process.signal(Signal::KILL).unwrap();
            }
        }
    }
}

fn data_dir() -> DataDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    DataDir(directory)
}

async fn query(url: &SecretString, statement: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url.expose_secret(), NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let rows = client.simple_query(statement).await.unwrap();
    drop(client);
    driving.await.unwrap().unwrap();
    let cell = |message| {
        let tokio_postgres::SimpleQueryMessage::Row(row) = message else { return None };
        row.get(0).map(str::to_owned)
    };
    rows.into_iter().filter_map(cell).collect()
}

/// Every process whose working directory is the cluster's.
fn processes_of(data_dir: &Path) -> Vec<ProcessId> {
    let here = fs::metadata(data_dir.join("postgres/data")).unwrap();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            fs::metadata(format!("/proc/{pid}/cwd"))
                .is_ok_and(|there| (there.dev(), there.ino()) == (here.dev(), here.ino()))
        })
        .filter_map(ProcessId::of)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_its_data_through_kill_and_restart() {
    let directory = data_dir();
    let began = Instant::now();
    let options = EmbeddedOptions { is_durable: true, ..OPTIONS };
    let first = EmbeddedPostgres::start(directory.path(), options).await.unwrap();
    println!("made and started in {:?}", began.elapsed());
    query(first.url(), "CREATE TABLE kept (word text)").await;
    query(first.url(), "INSERT INTO kept VALUES ('here')").await;
    assert_eq!(query(first.url(), "SHOW server_encoding").await, ["UTF8"]);
    for file in ["password", "superuser-password"] {
        let secret = fs::metadata(directory.path().join("postgres").join(file)).unwrap();
        assert_eq!(secret.mode() & 0o777, 0o600);
    }
    let roles =
        query(first.url(), "SELECT rolname || ' ' || rolsuper FROM pg_roles WHERE rolcanlogin ORDER BY 1").await;
    assert_eq!(roles, ["ocim false", "postgres true"]);
    let log = fs::read_to_string(directory.path().join("postgres/log")).unwrap();
    assert!(!log.contains("CREATE ROLE"), "{log}");
    assert!(!format!("{first:?}").contains("postgres://"), "the URL is a secret");
    let data = fs::metadata(directory.path().join("postgres/data")).unwrap();
    assert_ne!(data.uid(), 0, "PostgreSQL does not run as root");

    let killed = processes_of(directory.path());
    assert!(killed.len() > 3);
    for process in &killed {
        process.signal(Signal::KILL).unwrap();
    }
    for process in &killed {
        assert!(process.wait(Duration::from_secs(5)).await);
    }
    assert!(matches!(EmbeddedPostgres::attach(directory.path()).await, Err(EmbeddedError::NotRunning { .. })));

    // The pid in the dead server's file now belongs to another process.
    let pid_file = directory.path().join("postgres/data/postmaster.pid");
    let left = fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = left.split_once('\n').unwrap();
    let stranger = Stranger::of(data.uid());
    fs::write(&pid_file, format!("{}\n{rest}", stranger.0.id())).unwrap();

    let began = Instant::now();
    let second = EmbeddedPostgres::start(directory.path(), options).await.unwrap();
    println!("recovered in {:?}", began.elapsed());
    assert_eq!(query(second.url(), "SELECT word FROM kept").await, ["here"]);
    assert_eq!(second.url().expose_secret(), first.url().expose_secret(), "the port is kept where it is free");
    let began = Instant::now();
    second.stop().await.unwrap();
    println!("stopped in {:?}", began.elapsed());
    assert_eq!(processes_of(directory.path()), []);
    assert!(!pid_file.exists(), "it was shut down in order");
}

/// A process of the database's user, whose pid PostgreSQL takes for a server's. It ends with the test.
struct Stranger(std::process::Child);

impl Stranger {
    fn of(uid: u32) -> Self {
        let uid = uid.to_string();
        let mut command = std::process::Command::new("setpriv");
        Self(command.args(["--reuid", &uid, "--keep-groups", "--", "sleep", "600"]).spawn().unwrap())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_recovers_from_a_killed_postmaster_with_open_connections() {
    let directory = data_dir();
    let first = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
    let (client, connection) = tokio_postgres::connect(first.url().expose_secret(), NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let busy = tokio::spawn(async move { client.simple_query("SELECT pg_sleep(600)").await });
    first.process().signal(Signal::KILL).unwrap();
    let second = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
    assert_ne!(second.process(), first.process());
    assert_eq!(query(second.url(), "SELECT 1").await, ["1"]);
    assert!(busy.await.unwrap().is_err());
    drop(driving.await);
    second.stop().await.unwrap();
    assert_eq!(processes_of(directory.path()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_starts_share_one_postgres_server() {
    let directory = data_dir();
    let (one, other) = tokio::join!(
        EmbeddedPostgres::start(directory.path(), OPTIONS),
        EmbeddedPostgres::start(directory.path(), OPTIONS)
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.process(), other.process());
    let joined = EmbeddedPostgres::attach(directory.path()).await.unwrap();
    assert_eq!(joined.expose_secret(), one.url().expose_secret());

    // Dropping it without a stop simulates a crash of the program.
    drop(other);
    let adopted = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
    assert_eq!(adopted.process(), one.process());
    adopted.stop().await.unwrap();
    assert_eq!(processes_of(directory.path()), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_takes_another_port_if_the_last_one_is_taken() {
    let directory = data_dir();
    let first = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
    let before = first.url().clone();
    first.stop().await.unwrap();
    let port: u16 = fs::read_to_string(directory.path().join("postgres/port")).unwrap().trim().parse().unwrap();
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let second = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
    assert_ne!(second.url().expose_secret(), before.expose_secret());
    second.stop().await.unwrap();
}

#[tokio::test]
async fn errors_of_postgres_name_the_remedy() {
    let directory = data_dir();
    let error = EmbeddedPostgres::attach(directory.path()).await.unwrap_err().to_string();
    assert!(error.contains("start `ocim server` with this data directory first"), "{error}");

    let file = directory.path().join("a-file");
    fs::write(&file, "").unwrap();
    let error = EmbeddedPostgres::start(&file, OPTIONS).await.unwrap_err().to_string();
    assert!(error.contains("a-file/postgres") && error.contains("OCIM_DATA_DIR"), "{error}");

    // Data of a version that is not installed.
    let old = directory.path().join("old");
    fs::create_dir_all(old.join("postgres/data")).unwrap();
    fs::write(old.join("postgres/data/PG_VERSION"), "9\n").unwrap();
    let error = EmbeddedPostgres::start(&old, OPTIONS).await.unwrap_err().to_string();
    assert!(error.contains("apt-get install postgresql-9"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_runs_in_a_directory_that_its_user_cannot_enter() {
    // Like `mktemp -d` and root's home: if root runs the program, the database's user may not enter.
    let directory = data_dir();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    for word in ["first", "second"] {
        let server = EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap();
        query(server.url(), &format!("CREATE TABLE {word} (number int)")).await;
        assert_eq!(EmbeddedPostgres::start(directory.path(), OPTIONS).await.unwrap().process(), server.process());
        server.stop().await.unwrap();
    }
    assert_eq!(fs::metadata(directory.path()).unwrap().mode() & 0o777, 0o700, "its permissions stay as they were");
    assert_eq!(processes_of(directory.path()), []);
}
