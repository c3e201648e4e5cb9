//! A backup of a running installation, restored elsewhere: builds go on, secrets can be read, bad archives are refused.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ocim::ansible::fake::FakeAnsible;
use ocim::git::fake::FakeGit;
use ocim::instances::builds::Builder;
use ocim::instances::settings::read;
use ocim::instances::{Manager, Ports};
use ocim::machines::registry::Providers;
use ocim::platform::db::Db;
use ocim::platform::vault::Keyring;
use ocim::resources::registry::Servers;
use serde_json::json;
use shared_types::{AppServerId, AppServerStatus, InstanceId};
use tokio_util::sync::CancellationToken;

use crate::app::{Database, GatedAnsible, Setup, TestApp, until};

/// Runs `ocim admin`. Gives whether it succeeded, and its output.
async fn admin(url: Option<&str>, data_dir: &Path, keys: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.arg("admin").args(arguments).env("DATABASE_URL", url.unwrap_or_default());
    command.env("OCIM_DATA_DIR", data_dir).env("OCIM_SECRET_KEYS", keys).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output()).await.unwrap().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A directory that the database's own user may enter.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    dir
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_in_mid_run_goes_on_where_its_backup_was_restored() {
    let gated = GatedAnsible::new();
    let app = TestApp::with(Setup { ansible: Some(gated.clone()), ..Setup::default() }).await;
    let body = json!({ "name": "x", "sub_domain": "x", "configuration_extra_settings": "PASSWORD: h0rse-battery\n" });
    let created = app.operator().await.post("/api/v1/instances", body).await.expect(201);
    let instance = created["id"].as_i64().unwrap();
    gated.let_go(1);
    let active = app.running(instance).await;
    app.activate(active).await.expect(200);
    let building = app.launched(instance).await;
    until("the playbook runs", async || gated.running() == 1).await;

    let (here, there) = (directory(), directory());
    std::fs::create_dir(here.path().join("ssh")).unwrap();
    std::fs::write(here.path().join("ssh/id_ed25519"), "the private key").unwrap();
    std::fs::write(here.path().join("ssh/id_ed25519.pub"), "the public key").unwrap();
    let file = here.path().join("backup.tar");
    let name = file.to_str().unwrap();
    let keys = format!("test:{}", "00".repeat(32));
    let (is_done, words) = admin(Some(app.db.url()), here.path(), &keys, &["backup", name]).await;
    assert!(is_done && words.contains("1 keys of secrets"), "{words}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let left: Vec<_> = std::fs::read_dir(here.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing beside it: {left:?}");
    let (is_done, words) = admin(Some(app.db.url()), here.path(), &keys, &["backup", name]).await;
    assert!(!is_done && words.contains("exists"), "{words}");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!bytes.windows(13).any(|window| window == b"h0rse-battery"), "the archive holds no secret in clear");

    // A restore refuses a database that has tables.
    let (is_done, words) = admin(Some(app.db.url()), there.path(), "", &["restore", name]).await;
    assert!(!is_done && words.contains("has tables") && is_empty(there.path()), "{words}");
    let database = Database::empty().await;
    let (is_done, words) = admin(Some(&database.url()), here.path(), "", &["restore", name]).await;
    assert!(!is_done && words.contains("is not empty"), "{words}");
    // A restore refuses an archive that was changed, or that a newer program wrote.
    let broken = here.path().join("broken.tar");
    std::fs::copy(&file, &broken).unwrap();
    let mut changed = std::fs::OpenOptions::new().read(true).write(true).open(&broken).unwrap();
    changed.seek(SeekFrom::Start(bytes.len() as u64 / 2)).unwrap();
    changed.write_all(b"something else").unwrap();
    let (is_done, words) = admin(Some(&database.url()), there.path(), "", &["restore", broken.to_str().unwrap()]).await;
    assert!(!is_done && words.contains("is not what was backed up") && is_empty(there.path()), "{words}");
    let newer = String::from_utf8_lossy(&bytes[..8192]).find("2026112520").unwrap();
    changed.seek(SeekFrom::Start(0)).unwrap();
    changed.write_all(&bytes).unwrap();
    changed.seek(SeekFrom::Start(newer as u64)).unwrap();
    changed.write_all(b"2999").unwrap();
    let (is_done, words) = admin(Some(&database.url()), there.path(), "", &["restore", broken.to_str().unwrap()]).await;
    assert!(!is_done && words.contains("newer ocim") && is_empty(there.path()), "{words}");

    let (is_done, words) = admin(Some(&database.url()), there.path(), "", &["restore", name]).await;
    assert!(is_done && words.contains("Restored"), "{words}");
    let mut key = String::new();
    std::fs::File::open(there.path().join("ssh/id_ed25519")).unwrap().read_to_string(&mut key).unwrap();
    assert_eq!(key, "the private key");

    // A second installation with the restored data and the same provider, so that it finds the machines.
    let mut options = app.manager.options.clone();
    options.keyring = Keyring::of_file(there.path().join("keys/secrets")).unwrap();
    let ports = Ports {
        providers: Providers::single(app.provider.clone()),
        probe: app.provider.clone(),
        traffic: app.traffic.clone(),
        git: Arc::new(FakeGit::default()),
        ansible: Arc::new(FakeAnsible::with_tasks(3)),
        resources: Servers::default(),
    };
    let db = Db::open(&database.url()).unwrap();
    let manager = Arc::new(Manager::new(db, app.manager.applications.clone(), ports, options));
    let mut conn = manager.db.conn().await.unwrap();
    let view = read::instance(&manager, &mut conn, InstanceId(instance)).await.unwrap();
    assert_eq!(view.pending_changes, Vec::<String>::new());
    assert_eq!(view.summary.active_appserver.unwrap().id, AppServerId(active));
    Builder::new(manager.clone(), 1, CancellationToken::new()).advance(AppServerId(building)).await.unwrap();
    let built = read::app_server(&manager, &mut conn, AppServerId(building)).await.unwrap();
    assert_eq!(built.summary.status, AppServerStatus::Running);
    assert!(built.configuration_settings.contains("PASSWORD: \"••••••\""), "{}", built.configuration_settings);
    drop(conn);
    // The restored installation took the machine over: it lets the original one in no more.
    gated.let_go(1);
    until("the original is kept out", async || app.log_says(building, "Permission denied").await).await;
    app.operator().await.post(&format!("/api/v1/app-servers/{building}/stop"), json!({})).await.expect(202);
    assert_eq!(app.until_built(building).await["status"], "stopped");
    app.end().await;
    database.discard();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_into_a_database_of_its_own() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let (here, there) = (directory(), directory());
    let file = here.path().join("backup.tar");
    let key = format!("test:{}", "00".repeat(32));
    let (is_done, words) = admin(Some(app.db.url()), here.path(), &key, &["backup", file.to_str().unwrap()]).await;
    assert!(is_done, "{words}");
    let (is_done, words) = admin(None, there.path(), "", &["restore", file.to_str().unwrap()]).await;
    assert!(is_done && words.contains("Restored"), "{words}");
    let (_, words) = admin(None, there.path(), "", &["backup", "/nowhere"]).await;
    assert!(words.contains("runs"), "it was stopped again: {words}");
    let postgres =
        ocim::platform::db::embedded::EmbeddedPostgres::start(there.path(), Default::default()).await.unwrap();
    let db = Db::open(secrecy::ExposeSecret::expose_secret(postgres.url())).unwrap();
    let count = crate::app::number(&mut db.conn().await.unwrap(), "SELECT count(*) AS n FROM instances").await;
    drop(db);
    postgres.stop().await.unwrap();
    assert_eq!(count, 1);
    app.end().await;
}
