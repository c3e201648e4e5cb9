//! A Postgres with a certificate of a private authority: the program, its listener and the queue trust it when told to, and
//! a server that encrypts nothing is refused.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use graphile_worker::{DbExecutor, DbParams};
use ocim::platform::children::Signal;
use ocim::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use ocim::platform::db::{Db, Purpose, migrations};
use secrecy::ExposeSecret;

use super::texts;
use crate::app::until;

/// The name in the certificate. It is no name of this machine, although the address is.
const HOST: &str = "db.campus.example";

/// Runs openssl in a directory.
fn openssl(dir: &Path, arguments: &str) {
    let ran = Command::new("openssl").current_dir(dir).args(arguments.split(' ')).stderr(Stdio::null()).status();
    assert!(ran.unwrap().success(), "openssl {arguments}");
}

/// Makes an authority, and a certificate of it for the server.
fn certificates(dir: &Path) {
    fs::write(dir.join("names"), format!("subjectAltName=DNS:{HOST}\nbasicConstraints=CA:FALSE\n")).unwrap();
    openssl(dir, "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
    openssl(dir, "req -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server");
    openssl(
        dir,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

/// Turns TLS on or off.
async fn set_tls(postgres: &EmbeddedPostgres, data: &Path, is_on: bool) {
    let db = Db::open(postgres.url().expose_secret()).unwrap();
    let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
    writeln!(file, "ssl = {is_on}").unwrap();
    postgres.process().signal(Signal::HUP).unwrap();
    let expected = if is_on { "on" } else { "off" };
    crate::app::until("the setting is in use", async || {
        let mut fresh = db.dedicated().await.unwrap();
        texts(&mut fresh, "SELECT current_setting('ssl') AS text").await == [expected]
    })
    .await;
}

/// Runs `ocim migrate`. Gives whether it succeeded, and its output.
async fn migrate(url: &str, trusted: &Path) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.arg("migrate").env("DATABASE_URL", url).env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR");
    let output = command.env_remove("OCIM_CONFIG").stdin(Stdio::null()).output().await.unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// The connections of each kind, encrypted and not.
async fn encrypted(db: &Db) -> Vec<String> {
    let queue = db.queue(Purpose::Queue).unwrap();
    let _heard = queue.listen("jobs:insert").await.unwrap().unwrap();
    queue.execute("SELECT 1", DbParams::new()).await.unwrap();
    let _listening = db.listen("ocim_events").await.unwrap();
    let mut conn = db.conn().await.unwrap();
    let query = "SELECT DISTINCT ssl::text AS text FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
        WHERE datname = current_database() AND application_name = 'tls-test'";
    let count = "SELECT count(*)::text AS text FROM pg_stat_activity WHERE application_name = 'tls-test'";
    // Connections of before may still be ending.
    until("four connections", async || texts(&mut conn, count).await == ["4"]).await;
    texts(&mut conn, query).await
}

#[tokio::test]
async fn a_private_authority_is_trusted_everywhere_and_a_plain_server_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let options = EmbeddedOptions { is_durable: false, start_timeout: Duration::from_secs(60) };
    let postgres = EmbeddedPostgres::start(dir.path(), options).await.unwrap();
    certificates(dir.path());
    let data = dir.path().join("postgres/data");
    let owner = fs::metadata(&data).unwrap();
    for (from, to) in [("server.pem", "server.crt"), ("server.key", "server.key")] {
        let to = data.join(to);
        fs::copy(dir.path().join(from), &to).unwrap();
        fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&to, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    let (ca, nothing) = (dir.path().join("ca.pem"), dir.path().join("other.pem"));
    openssl(dir.path(), "req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other");
    let url = postgres.url().expose_secret().replace("127.0.0.1", HOST).replace("localhost", HOST);
    let url = format!("{url}?hostaddr=127.0.0.1&application_name=tls-test");
    let with = |parameters: &str| format!("{url}&{parameters}");
    let trusting = with(&format!("sslrootcert={}", ca.display()));
    let refusal = async |url: &str| Db::open(url).unwrap().answers().await.unwrap_err().to_string();

    set_tls(&postgres, &data, true).await;
    let db = Db::open(&trusting).unwrap();
    migrations::migrate(&db).await.unwrap();
    db.answers().await.unwrap();
    drop(db);
    assert_eq!(encrypted(&Db::open(&trusting).unwrap()).await, ["true"]);
    // By the environment, like every program of the system.
    assert_eq!(migrate(&url, &ca).await, (true, "0 migrations ran\n".to_owned()));
    let (is_done, words) = migrate(&url, &nothing).await;
    assert!(!is_done && words.contains("certificate") && words.contains("SSL_CERT_FILE"), "{words}");
    // The certificate must be for the name.
    let words = refusal(&trusting.replace(HOST, "other.campus.example")).await;
    assert!(words.contains("certificate"), "{words}");
    // A request to cancel goes the same way.
    let db = Db::open(&trusting).unwrap();
    let mut conn = db.conn().await.unwrap();
    let sleep = diesel::sql_query("SELECT pg_sleep(60)");
    let left = tokio::time::timeout(Duration::from_millis(300), diesel_async::RunQueryDsl::execute(sleep, &mut conn));
    assert!(left.await.is_err());
    drop(conn);
    let sleeping =
        "SELECT count(*)::text AS text FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'";
    crate::app::until("the statement is cancelled", async || {
        texts(&mut db.vital().await.unwrap(), sleeping).await == ["0"]
    })
    .await;
    drop(db);

    set_tls(&postgres, &data, false).await;
    for url in [&url, &trusting, &with("sslmode=require")] {
        let words = refusal(url).await;
        assert!(words.contains("TLS is required") && words.contains("sslmode=disable"), "{words}");
    }
    let (is_done, words) = migrate(&url, &ca).await;
    assert!(!is_done && words.contains("TLS is required"), "{words}");
    for chosen in ["sslmode=disable", "sslmode=prefer"] {
        assert_eq!(encrypted(&Db::open(&with(chosen)).unwrap()).await, ["false"], "{chosen}");
        assert!(migrate(&with(chosen), &ca).await.0);
    }
    postgres.stop().await.unwrap();
}
