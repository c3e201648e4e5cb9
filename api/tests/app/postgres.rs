//! One Postgres for the run, one migrated template in it, and a copy of that for each test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use ocim::platform::children::Signal;
use ocim::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use ocim::platform::db::{Db, migrations};
use secrecy::ExposeSecret;
use tokio_postgres::NoTls;

const TEMPLATE: &str = "template_ocim";

/// The database server. It ends with this process, however that ends.
struct Server {
    url: String,
    /// Names of databases that are not needed any more.
    discarded: mpsc::Sender<String>,
    /// Ends the server when this process is gone and the kernel closes the guard's input.
    _guard: Child,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    // A test's own runtime ends with the test, so the server gets another one.
    let start = || tokio::runtime::Runtime::new().unwrap().block_on(start());
    std::thread::spawn(start).join().unwrap()
});
static COUNT: AtomicU32 = AtomicU32::new(0);

async fn start() -> Server {
    let directory = tempfile::Builder::new().prefix("ocim-tests-").tempdir().unwrap().keep();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    let options = EmbeddedOptions { is_durable: false, start_timeout: Duration::from_secs(60) };
    let postgres = EmbeddedPostgres::start(&directory, options).await.unwrap();
    let guard = Command::new("setsid")
        .args(["sh", "-c", GUARD, "guard", &postgres.process().pid.to_string()])
        .arg(&directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = postgres.url().expose_secret().to_owned();
    cheapen_connections(&directory, &postgres).await;
    execute(&url, &format!("CREATE DATABASE {TEMPLATE}")).await;
    migrations::migrate(&Db::open(&named(&url, TEMPLATE)).unwrap()).await.unwrap();
    let (discarded, names) = mpsc::channel();
    let server = url.clone();
    std::thread::spawn(move || drop_databases(&server, &names));
    Server { url, discarded, _guard: guard }
}

/// Sets MD5: SCRAM takes thousands of hashes per connection, slow in this unoptimised build; MD5 takes two.
async fn cheapen_connections(directory: &Path, postgres: &EmbeddedPostgres) {
    let file = directory.join("postgres/data/pg_hba.conf");
    let rules = fs::read_to_string(&file).unwrap();
    fs::write(&file, rules.replace("scram-sha-256", "md5")).unwrap();
    // These rules accept both kinds of passwords, so they are reloaded before the password is changed.
    let url = postgres.url().expose_secret();
    postgres.process().signal(Signal::HUP).unwrap();
    let password = url::Url::parse(url).unwrap().password().unwrap().to_owned();
    execute(url, &format!("SET password_encryption = 'md5'; ALTER ROLE ocim PASSWORD '{password}'")).await;
}

fn drop_databases(url: &str, names: &mpsc::Receiver<String>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for name in names {
        runtime.block_on(execute(url, &format!("DROP DATABASE {name} WITH (FORCE)")));
    }
}

/// Reads until the other end is closed; then ends the server at once and removes its files.
const GUARD: &str = r#"read -r _; kill -QUIT "$1"; while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; rm -rf -- "$2""#;

fn named(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

async fn execute(url: &str, statement: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(statement).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// A test's own database.
pub struct Database {
    name: String,
}

impl Database {
    /// A new database with all migrations applied.
    pub async fn migrated() -> Self {
        Self::copy_of(TEMPLATE).await
    }

    /// A new database without tables.
    pub async fn empty() -> Self {
        Self::copy_of("template0").await
    }

    async fn copy_of(template: &str) -> Self {
        let server = tokio::task::spawn_blocking(|| LazyLock::force(&SERVER)).await.unwrap();
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server.url, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { name }
    }

    /// The connection URL, with the password.
    pub fn url(&self) -> String {
        named(&SERVER.url, &self.name)
    }

    /// A connection pool for it.
    pub fn open(&self) -> Db {
        Db::open(&self.url()).unwrap()
    }

    /// Queues the database for removal, even with open connections; the rest is removed with the server.
    pub fn discard(self) {
        // The test does not wait for the checkpoint that DROP DATABASE makes.
        SERVER.discarded.send(self.name).unwrap();
    }
}
