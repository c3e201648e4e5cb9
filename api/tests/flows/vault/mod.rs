//! Encryption of secrets: never stored in clear, readable during key rotation; tampering is always an error.

mod everywhere;
mod parrot;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ocim::platform::vault::{self, Keyring};
use serde_json::{Value, json};
use shared_types::settings::Schema;
use tokio_util::sync::CancellationToken;

use crate::app::{Client, Database, Setup, TestApp, until};
use crate::routes::document::operations;

const YAML: &str = "configuration_extra_settings";

async fn created(who: &Client, settings: Value) -> i64 {
    who.post("/api/v1/instances", settings).await.expect(201)["id"].as_i64().unwrap()
}

/// Every row of every table as text, with the table's name.
async fn dump(app: &TestApp) -> Vec<(String, String)> {
    let tables = "SELECT string_agg(format('%I.%I', schemaname, tablename), ' ') AS text FROM pg_tables \
                  WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let mut found = Vec::new();
    for table in app.text(tables).await.split(' ') {
        let rows = format!("SELECT coalesce(string_agg(t::text, ' '), '') AS text FROM {table} AS t");
        found.push((format!("table {table}"), app.text(&rows).await));
    }
    found
}

/// The answers of all reading operations, except streams.
async fn answers(who: &Client) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for operation in operations().iter().filter(|operation| operation.method.is_safe()) {
        let path = operation.path(1);
        if path.ends_with("/stream") || path.ends_with("/events") {
            continue;
        }
        found.push((format!("GET {path}"), who.get(&path).await.body));
    }
    found
}

#[tokio::test]
async fn a_replaced_secret_is_deleted_and_that_of_an_app_server_kept() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let body = json!({ "name": "x", "sub_domain": "x", YAML: "PASSWORD: one\n" });
    let instance = created(&operator, body).await;
    let rows = async || app.number("SELECT count(*) AS n FROM secrets WHERE instance_id = 1").await;
    assert_eq!(rows().await, 1);
    let id = app.running(instance).await;
    app.activate(id).await.expect(200);
    assert_eq!(rows().await, 4, "its settings, its variables and its machine's key");
    let path = format!("/api/v1/instances/{instance}");
    let read = app.read_instance(instance).await;
    assert_eq!(read[YAML], "PASSWORD: \"••••••\"\n");
    assert_eq!(read["pending_changes"], json!([]), "compared as they are, not as they are stored");
    // A masked value that is sent back changes nothing.
    let answer = operator.patch(&path, "\"1\"", json!({ YAML: read[YAML] })).await.expect(200);
    assert_eq!((answer["etag"].clone(), rows().await), (json!("\"1\""), 4));
    let changed = json!({ YAML: "PASSWORD: \"••••••\"\nA: 1\n" });
    let answer = operator.patch(&path, "\"1\"", changed).await.expect(200);
    assert_eq!(answer["pending_changes"], json!([YAML]));
    let stored = "SELECT count(*) AS n FROM instances AS i WHERE EXISTS \
                  (SELECT 1 FROM secrets WHERE id = i.settings->'configuration_extra_settings'->>'$secret')";
    assert_eq!((rows().await, app.number(stored).await), (4, 1));
    let back = operator.patch(&path, "\"2\"", json!({ YAML: "PASSWORD: one\n" })).await.expect(200);
    assert_eq!(back["pending_changes"], json!([]), "the mark was the secret");
    operator.patch(&path, "\"3\"", json!({ YAML: "" })).await.expect(200);
    assert_eq!(rows().await, 3);
    let detail = operator
        .patch(&path, "\"4\"", json!({ YAML: "PASSWORD: \"••••••\"\n" }))
        .await
        .field_error(&format!("/{YAML}"));
    assert_eq!(detail, "•••••• at PASSWORD stands for a secret that is not stored for this; write the secret itself.");
    app.end().await;
}

#[tokio::test]
async fn a_variable_that_a_person_marks_is_sealed_and_stays_so_when_other_lines_change() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let extra = "A: 1\nPLAIN_NAME: !secret zebra-crossing\nMAP: !secret\n  1: [ostrich-feather]\n";
    let instance = created(&operator, json!({ "name": "x", "sub_domain": "x", YAML: extra })).await;
    let path = format!("/api/v1/instances/{instance}");
    let shown = app.read_instance(instance).await[YAML].as_str().unwrap().to_owned();
    assert_eq!(shown, "A: 1\nPLAIN_NAME: !secret \"••••••\"\nMAP:\n  1:\n    - !secret \"••••••\"\n");
    operator.patch(&path, "\"1\"", json!({ YAML: shown.replace("A: 1", "A: 2") })).await.expect(200);
    let id = app.running(instance).await;
    let configured = app.read_app_server(id).await["configuration_settings"].as_str().unwrap().to_owned();
    assert!(configured.contains("PLAIN_NAME: !secret \"••••••\"") && configured.contains("A: 2"), "{configured}");
    for (place, text) in dump(&app).await.into_iter().chain(answers(&operator).await) {
        assert!(!text.contains("zebra-crossing") && !text.contains("ostrich-feather"), "{place}: {text}");
    }
    let opened = operator.patch(&path, "\"2\"", json!({ YAML: "PLAIN_NAME: \"••••••\"\n" })).await;
    let detail = opened.field_error(&format!("/{YAML}"));
    assert!(detail.contains("at PLAIN_NAME stands for a secret"), "{detail}");
    app.end().await;
}

#[tokio::test]
async fn what_an_earlier_version_stored_in_clear_is_hidden_and_sealed_when_it_is_saved() {
    let app = TestApp::start().await;
    let operator = app.operator().await;
    let extra = "EDXAPP_FERNET_KEYS: [zebra-crossing]\n";
    let instance = created(&operator, json!({ "name": "x", "sub_domain": "x", YAML: "A: 1\n" })).await;
    // As it was stored before this variable's name was recognised as that of a secret.
    let old = format!("UPDATE instances SET settings = jsonb_set(settings, '{{{YAML}}}', to_jsonb('{extra}'::text))");
    app.execute(&old).await;
    for path in ["", "/render"] {
        let answer = operator.get(&format!("/api/v1/instances/{instance}{path}")).await;
        assert!(answer.status == 200 && !answer.body.contains("zebra-crossing"), "{path}: {}", answer.body);
        assert!(answer.body.contains("••••••"), "{path}: {}", answer.body);
    }
    let change = json!({ "openedx_release": "other" });
    operator.patch(&format!("/api/v1/instances/{instance}"), "\"1\"", change).await.expect(200);
    for (place, text) in dump(&app).await {
        assert!(!text.contains("zebra-crossing"), "{place}: {text}");
    }
    app.end().await;
}

fn key_file(runs_dir: &Path) -> PathBuf {
    runs_dir.join("secrets")
}

/// A program whose keys are in a file.
async fn with_key_file() -> TestApp {
    let options = |options: &mut ocim::instances::Options| {
        let path = key_file(&options.runs_dir);
        std::fs::write(&path, vault::generate().unwrap()).unwrap();
        options.keyring = Keyring::of_file(path).unwrap();
    };
    TestApp::with(Setup { works: false, options, ..Setup::default() }).await
}

#[tokio::test]
async fn keys_are_rotated_during_reads_and_writes() {
    let app = with_key_file().await;
    let operator = app.operator().await;
    let many: String = (0..1200).map(|at| format!("K{at}_PASSWORD: s{at}\n")).collect();
    let instance = created(&operator, json!({ "name": "x", "sub_domain": "x", YAML: many })).await;
    app.running(instance).await;
    let path = key_file(&app.manager.options.runs_dir);
    let stop = CancellationToken::new();
    let (read, written) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let reading = tokio::spawn(reads(app.viewer().await, stop.clone(), read.clone()));
    let writing = tokio::spawn(writes(operator.clone(), instance, stop.clone(), written.clone()));
    let more = async |count: &AtomicUsize, by: usize| {
        let enough = count.load(Ordering::SeqCst) + by;
        until("others made progress", async || count.load(Ordering::SeqCst) >= enough).await;
    };
    let mut firsts = Vec::new();
    for _ in 0..3 {
        let new = vault::generate().unwrap();
        let old = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{new}\n{old}")).unwrap();
        // By then, all operations that began with the old key have ended.
        more(&written, 2).await;
        let other_process = Keyring::of_file(path.clone()).unwrap();
        let rotated = vault::rotate(&app.db, &other_process).await.unwrap();
        assert!(rotated.count >= 1200, "{rotated:?}");
        assert_eq!(rotated.spare.len(), 1, "{rotated:?}");
        // The key that no secret needs any more is removed.
        std::fs::write(&path, new).unwrap();
        firsts.push(rotated.key);
        let again = vault::rotate(&app.db, &Keyring::of_file(path.clone()).unwrap()).await.unwrap();
        assert!(again.count == 0 && again.spare.is_empty(), "{again:?}");
        more(&read, 2).await;
    }
    stop.cancel();
    reading.await.unwrap();
    writing.await.unwrap();
    println!("{read:?} reads and {written:?} writes meanwhile");
    let last = firsts.last().unwrap();
    let others = format!("SELECT count(*) AS n FROM secrets WHERE key_id <> '{last}'");
    assert_eq!(app.number(&others).await, 0);
    app.end().await;
}

async fn reads(viewer: Client, stop: CancellationToken, count: Arc<AtomicUsize>) {
    while !stop.is_cancelled() {
        let variables = viewer.get("/api/v1/app-servers/1").await.expect(200)["configuration_settings"].clone();
        assert!(variables.as_str().unwrap().contains("K1199_PASSWORD: \"••••••\""), "{variables}");
        viewer.get("/api/v1/instances/1").await.expect(200);
        count.fetch_add(1, Ordering::SeqCst);
    }
}

async fn writes(operator: Client, instance: i64, stop: CancellationToken, count: Arc<AtomicUsize>) {
    let path = format!("/api/v1/instances/{instance}");
    let mut etag = "\"1\"".to_owned();
    while !stop.is_cancelled() {
        let change = json!({ YAML: format!("PASSWORD: w{count:?}\n") });
        let answer = operator.patch(&path, &etag, change).await.expect(200);
        etag = answer["etag"].as_str().unwrap().to_owned();
        count.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn tampered_secrets_and_missing_keys_are_errors() {
    let app = with_key_file().await;
    let operator = app.operator().await;
    let body = |name: &str| json!({ "name": name, "sub_domain": name, YAML: format!("A_PASSWORD: of-{name}\n") });
    let (one, other) = (created(&operator, body("one")).await, created(&operator, body("two")).await);
    let fails = async |id: i64| {
        let answer = app.viewer().await.get(&format!("/api/v1/instances/{id}")).await;
        assert!(!answer.body.contains("of-"), "{}", answer.body);
        answer.status == 500 && answer.problem(500)["type"] == "/docs/problems#internal"
    };
    assert!(!fails(one).await && !fails(other).await);
    let swap = "UPDATE secrets AS s SET sealed = o.sealed FROM secrets AS o WHERE o.id <> s.id";
    app.execute(swap).await;
    assert!(fails(one).await && fails(other).await, "swapped rows");
    app.execute(swap).await;
    assert!(!fails(one).await && !fails(other).await, "swapped back");
    app.execute("UPDATE secrets SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1) WHERE instance_id = 1")
        .await;
    assert!(fails(one).await && !fails(other).await, "one bit");
    let path = key_file(&app.manager.options.runs_dir);
    let key = std::fs::read_to_string(&path).unwrap();
    let (id, _) = key.split_once(':').unwrap();
    std::fs::write(&path, format!("{id}:{}", "ab".repeat(32))).unwrap();
    let error = vault::rotate(&app.db, &Keyring::of([format!("new:{}", "cd".repeat(32)).as_str()]).unwrap()).await;
    let words = error.unwrap_err().to_string();
    assert!(words.contains(&format!("key «{id}», which this program has not")), "{words}");
    app.execute("DELETE FROM secrets").await;
    assert!(fails(other).await, "rows that are missing");
    std::fs::write(&path, key).unwrap();
    app.end().await;
}

/// Runs `ocim` on a database with these keys. Gives whether it succeeded, and its output.
async fn ocim(database: &Database, data_dir: &Path, keys: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.args(arguments).env("DATABASE_URL", database.url()).env("OCIM_DATA_DIR", data_dir);
    command.env("OCIM_SECRET_KEYS", keys).env("OCIM_PROVIDER", "fake").stdin(Stdio::null()).kill_on_drop(true);
    command.env("OCIM_LISTEN", "127.0.0.1:0").env("OCIM_GATEWAY_LISTEN", "127.0.0.1:0");
    let output = tokio::time::timeout(std::time::Duration::from_secs(60), command.output()).await.unwrap().unwrap();
    let words = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&words).into_owned())
}

#[tokio::test]
async fn without_its_keys_the_program_does_not_start_and_says_what_it_needs() {
    let database = Database::migrated().await;
    let dir = tempfile::tempdir().unwrap();
    let ocim = async |keys: &str, arguments: &[&str]| ocim(&database, dir.path(), keys, arguments).await;
    for program in ["server", "worker"] {
        let (started, words) = ocim("", &[program]).await;
        assert!(!started && words.contains("set OCIM_SECRET_KEYS"), "{words}");
        assert!(words.contains("ocim admin generate-key") && !dir.path().join("keys").exists(), "{words}");
    }
    let (made, line) = ocim("", &["admin", "generate-key"]).await;
    assert!(made);
    let key = line.trim();
    let (id, digits) = key.split_once(':').unwrap();
    let db = database.open();
    let ring = Keyring::of([key]).unwrap();
    let ([_], secrets) = vault::seal(&ring, &Schema { fields: &[] }, [&json!({ "PASSWORD": "x" })]).unwrap();
    let mut conn = db.conn().await.unwrap();
    diesel_async::RunQueryDsl::execute(
        diesel::sql_query(
            "INSERT INTO instances (instance_type, name, domain, settings) VALUES ('openedx', 'x', 'x', '{}')",
        ),
        &mut *conn,
    )
    .await
    .unwrap();
    vault::keep(&mut conn, shared_types::InstanceId(1), secrets).await.unwrap();
    let (_, other) = ocim("", &["admin", "generate-key"]).await;
    for (keys, needs) in [("", "put the file"), (other.trim(), "add it to OCIM_SECRET_KEYS")] {
        let (started, words) = ocim(keys, &["worker"]).await;
        assert!(!started && words.contains(&format!("key «{id}»")) && words.contains(needs), "{words}");
    }
    let both = format!("{},{key}", other.trim());
    let (rotated, words) = ocim(&both, &["admin", "rotate-keys"]).await;
    assert!(rotated && words.contains("1 secrets were encrypted anew"), "{words}");
    assert!(words.contains(&format!("No secret needs key «{id}» any more")), "{words}");
    let (rotated, words) = ocim(&both, &["admin", "rotate-keys"]).await;
    assert!(rotated && words.contains("0 secrets were encrypted anew") && !words.contains(digits), "{words}");
    // With a key file, it generates the new key itself.
    std::fs::create_dir(dir.path().join("keys")).unwrap();
    let file = dir.path().join("keys/secrets");
    std::fs::write(&file, other).unwrap();
    let (rotated, words) = ocim("", &["admin", "rotate-keys"]).await;
    assert!(rotated && words.contains("1 secrets were encrypted anew"), "{words}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().lines().count(), 2);
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    drop(conn);
    database.discard();
}
