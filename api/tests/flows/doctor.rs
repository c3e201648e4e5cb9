//! `ocim admin doctor`, the real program, on an installation in which one thing after the other is wrong.

use std::process::Stdio;

use ocim::platform::users::Secret;
use serde_json::Value;
use tokio::process::Command;

use crate::app::{TestApp, own_address};

/// An installation without a fault, and the settings that the doctor reads.
struct Patient {
    app: TestApp,
    dir: tempfile::TempDir,
}

/// A row of a server or worker that lives while the test runs.
const ALIVE: &str = "now() + interval '1 hour'";

impl Patient {
    async fn healthy() -> Self {
        let app = TestApp::idle().await;
        // Its app server has keys, which are secrets.
        let instance = app.instance("demo").await;
        app.launched(instance).await;
        assert!(app.number("SELECT count(*) AS n FROM secrets").await > 0);
        let version = env!("CARGO_PKG_VERSION");
        app.execute("DELETE FROM workers").await;
        for statement in [
            format!(
                "INSERT INTO server_processes (id, hostname, version, seen, clock_ms, has_gateway, key_ids, data_dir) \
                 VALUES ('s', 'alpha', '{version}', {ALIVE}, 3, false, ARRAY['test'], '/srv')"
            ),
            format!(
                "INSERT INTO workers (id, hostname, version, slots, seen, clock_ms) VALUES ('w', 'beta', '{version}', 4, {ALIVE}, -2)"
            ),
            format!(
                "INSERT INTO gateways (name, token_hash, created_by, agent, hostname, version, seen, revision) \
                 SELECT 'gamma', '\\x00', 'test', 'a', 'gamma', '{version}', {ALIVE}, revision FROM gateway_revision"
            ),
            "UPDATE installation SET backed_up_at = now(), compared_at = now()".to_owned(),
            "UPDATE health_watch SET fresh_until = now() + interval '1 hour'".to_owned(),
        ] {
            app.execute(&statement).await;
        }
        Self { app, dir: tempfile::tempdir().unwrap() }
    }

    fn command(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
        command.args(["admin", "doctor"]).env_remove("OCIM_CONFIG").env("DATABASE_URL", self.app.db.url());
        command.env("OCIM_DATA_DIR", self.dir.path()).env("OCIM_CACHE_DIR", self.dir.path().join("cache"));
        command.env("OCIM_PROVIDER", "fake").env("OCIM_GATEWAY_AGENTS", "true").env("OCIM_MIN_FREE_MB", "1");
        command.env("OCIM_SECRET_KEYS", format!("test:{}", "00".repeat(32)));
        // The key of the tests is one that was typed by hand, which opens a wall.
        command.envs(settings.iter().copied()).stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// The lines of a check, as level and words; and the exit status.
    async fn says(&self, check: &str, settings: &[(&str, &str)]) -> (Vec<(String, String)>, i32) {
        let output = self.command(settings).arg("--json").output().await.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let code = output.status.code().unwrap();
        assert_eq!(report["is_ok"], code == 0, "{report:#}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = report["checks"].as_array().unwrap();
        for one in all {
            assert_eq!(one["do"].is_null(), one["level"] == "ok", "what is wrong has a remedy: {one:#}");
            assert!(text(&one["what"]).ends_with('.'), "{one:#}");
        }
        let of = all.iter().filter(|one| one["check"] == check);
        (of.map(|one| (text(&one["level"]), text(&one["what"]))).collect(), code)
    }

    /// Asserts that a check has one line, of this level and with these words. Only something wrong is a failure.
    async fn is(&self, check: &str, level: &str, words: &str, settings: &[(&str, &str)]) {
        let (found, code) = self.says(check, settings).await;
        let [(of, what)] = found.as_slice() else { panic!("{check} {settings:?}: {found:?}") };
        assert!(of == level && what.contains(words), "{check} {settings:?}: {found:?}");
        assert_eq!(code, i32::from(level == "wrong"), "{check}: {found:?}");
    }

    /// Makes a fault, asserts what is said about it, and mends it.
    async fn with(&self, (fault, cure): (&str, &str), check: &str, level: &str, words: &str) {
        self.app.execute(fault).await;
        self.is(check, level, words, &[]).await;
        self.app.execute(cure).await;
    }
}

#[tokio::test]
async fn a_healthy_installation_has_only_lines_that_are_ok() {
    let patient = Patient::healthy().await;
    let drawn = format!("test:{}", "00".repeat(32));
    let output = patient.command(&[("OCIM_SECRET_KEYS", &drawn)]).output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for line in text.lines().filter(|line| !line.contains("OCIM_SECRET_KEYS")) {
        assert!(line.starts_with("ok "), "{text}");
    }
    for check in [
        "settings",
        "public_url",
        "disk",
        "migrations",
        "clock",
        "versions",
        "servers",
        "workers",
        "gateways",
        "certificates",
        "queue",
        "routing",
        "messages",
        "machines",
        "names",
        "backups",
        "keys",
        "database",
        "checks",
        "mail",
        "github",
        "databases",
        "dns",
        "walls",
    ] {
        assert!(text.lines().any(|line| line.split_whitespace().nth(1) == Some(check)), "{check}: {text}");
    }
    patient.app.end().await;
}

#[tokio::test]
async fn each_fault_of_the_processes_has_its_line() {
    let patient = Patient::healthy().await;
    let server = |set: &str| format!("UPDATE server_processes SET {set}");
    let worker = |set: &str| format!("UPDATE workers SET {set}");
    let version = env!("CARGO_PKG_VERSION");
    let cases = [
        (server("clock_ms = -2000"), server("clock_ms = 0"), "clock", "warning", "of alpha (server) is 2.000 s behind"),
        (worker("clock_ms = 7000"), worker("clock_ms = 0"), "clock", "wrong", "of beta (worker) is 7.000 s ahead of"),
        (
            server("version = '0.0.1'"),
            server(&format!("version = '{version}'")),
            "versions",
            "warning",
            "alpha has version 0.0.1",
        ),
        (
            worker("version = '0.0.1'"),
            worker(&format!("version = '{version}'")),
            "versions",
            "warning",
            "beta has version 0.0.1",
        ),
        (
            server("seen = now() - interval '16 s'"),
            server(&format!("seen = {ALIVE}")),
            "servers",
            "wrong",
            "No server runs",
        ),
        (
            worker("seen = now() - interval '16 s'"),
            worker(&format!("seen = {ALIVE}")),
            "workers",
            "wrong",
            "No worker lives",
        ),
        (
            worker("trouble = 'the disk is full'"),
            worker("trouble = NULL"),
            "workers",
            "wrong",
            "beta begins no build: the disk is full.",
        ),
        (worker("is_draining = true"), worker("is_draining = false"), "workers", "warning", "end after their builds"),
    ];
    for (fault, cure, check, level, words) in &cases {
        patient.with((fault, cure), check, level, words).await;
    }
    let second = format!(
        "INSERT INTO server_processes (id, hostname, version, seen, clock_ms, has_gateway, key_ids, data_dir, public_url) \
         VALUES ('t', 'delta', '{version}', {ALIVE}, 0, false, ARRAY['test'], '/srv', 'https://ocim.example')"
    );
    patient
        .with((&second, "SELECT 1"), "servers", "wrong", "OCIM_PUBLIC_URL of the servers on alpha and delta differs")
        .await;
    let keys = "UPDATE server_processes SET public_url = NULL, key_ids = ARRAY[id, 'test']";
    let (found, _) = patient_says(&patient, keys, "servers").await;
    assert!(found.iter().any(|(level, what)| level == "wrong" && what.contains("different keys")), "{found:?}");
    let gateway = "UPDATE server_processes SET key_ids = ARRAY['test'], has_gateway = id = 't'";
    let (found, _) = patient_says(&patient, gateway, "servers").await;
    assert!(
        found.iter().any(|(level, what)| level == "wrong" && what.contains("one runs a gateway itself")),
        "{found:?}"
    );
    patient.app.execute("DELETE FROM server_processes WHERE id = 't'").await;
    patient.app.execute("UPDATE server_processes SET has_gateway = false").await;

    let gateway = |set: &str| format!("UPDATE gateways SET {set}");
    let alive = gateway(&format!("seen = {ALIVE}"));
    patient
        .with(
            (&gateway("seen = now() - interval '5 minutes'"), &alive),
            "gateways",
            "wrong",
            "The agent of gamma has not asked for 5 min",
        )
        .await;
    patient
        .with(
            (&gateway("error = 'HAProxy does not answer'"), &gateway("error = NULL")),
            "gateways",
            "wrong",
            "At gamma, HAProxy does not answer",
        )
        .await;
    patient
        .with(
            (&gateway("revision = 0"), &gateway("revision = (SELECT revision FROM gateway_revision)")),
            "gateways",
            "warning",
            "gamma does not have all routes",
        )
        .await;
    patient
        .with(
            ("UPDATE gateways SET agent = NULL, seen = NULL", &gateway(&format!("agent = 'a', seen = {ALIVE}"))),
            "gateways",
            "warning",
            "The agent of gamma has never asked",
        )
        .await;
    patient.with(("DELETE FROM gateways", "SELECT 1"), "gateways", "wrong", "There is no gateway").await;
    patient.app.end().await;
}

async fn patient_says(patient: &Patient, statement: &str, check: &str) -> (Vec<(String, String)>, i32) {
    patient.app.execute(statement).await;
    patient.says(check, &[]).await
}

#[tokio::test]
async fn each_fault_of_the_records_has_its_line() {
    let patient = Patient::healthy().await;
    let installation = |set: &str| format!("UPDATE installation SET {set}");
    let compared = installation("compared_at = now(), comparison_note = NULL");
    patient.with((&installation("backed_up_at = NULL"), "SELECT 1"), "backups", "warning", "never backed up").await;
    patient
        .with(
            (&installation("backed_up_at = now() - interval '3 days'"), &installation("backed_up_at = now()")),
            "backups",
            "warning",
            "3 days old",
        )
        .await;
    patient
        .with(
            (&installation("comparison_note = 'the cloud does not answer'"), &compared),
            "machines",
            "wrong",
            "the cloud does not answer",
        )
        .await;
    patient
        .with(
            (&installation("compared_at = now() - interval '10 minutes'"), &compared),
            "machines",
            "warning",
            "last compared 10 min ago",
        )
        .await;
    let fresh = "UPDATE health_watch SET fresh_until = now() + interval '1 hour'";
    patient
        .with(
            ("UPDATE health_watch SET fresh_until = now() - interval '1 hour'", fresh),
            "checks",
            "wrong",
            "no site was checked",
        )
        .await;
    let message = "INSERT INTO outbox (kind, payload, created) VALUES ('health', '{}', now() - interval '2 hours')";
    patient.with((message, "UPDATE outbox SET given_up_at = now()"), "messages", "warning", "has waited for 2 h").await;
    patient.is("messages", "warning", "1 messages were given up", &[]).await;
    patient.app.execute("DELETE FROM outbox").await;
    let lost = "UPDATE builds SET lease_holder = 'gone', lease_until = now() - interval '5 minutes'";
    let free = "UPDATE builds SET lease_holder = NULL, lease_until = NULL";
    patient.with((lost, free), "queue", "wrong", "1 builds have no worker, the first since 5 min").await;
    let certificate = "INSERT INTO certificates (source, names, names_digest, state, chain, origin, not_before, not_after, revision) \
        VALUES ('files', ARRAY['a.example'], md5('a.example'), 'valid', 'c', 'f', now() - interval '60 days', now() + interval '3 days 1 hour', 1)";
    let expired = "UPDATE certificates SET not_after = now() - interval '1 hour'";
    patient.with((certificate, expired), "certificates", "warning", "A certificate expires in 3 days").await;
    patient
        .with((expired, "DELETE FROM certificates"), "certificates", "wrong", "A certificate expired 60 min ago")
        .await;
    let name = "INSERT INTO instance_names (instance_id, hostname, state, words, checked_at) \
        SELECT id, 'demo.example', 'absent', 'It has no address.', now() FROM instances";
    patient.app.execute(name).await;
    patient
        .is("names", "warning", "demo.example: It has no address.", &[("OCIM_GATEWAY_ADDRESSES", "192.0.2.1")])
        .await;
    let newest =
        "DELETE FROM __diesel_schema_migrations WHERE version = (SELECT max(version) FROM __diesel_schema_migrations)";
    let newer = "INSERT INTO __diesel_schema_migrations (version, run_on) VALUES ('99990101000000', now())";
    patient.with((newer, newest), "migrations", "wrong", "has 1 migrations that this program does not know").await;
    patient.with((newest, "SELECT 1"), "migrations", "wrong", "lacks 1 migrations of this program").await;
    patient.app.end().await;
}

#[tokio::test]
async fn each_fault_of_settings_and_host_has_its_line() {
    let patient = Patient::healthy().await;
    let (other, closed) = (Secret::random().unwrap().hash(), own_address());
    let other = hex::encode(other);
    let (host, port) = closed.rsplit_once(':').unwrap();
    patient
        .is(
            "keys",
            "wrong",
            "is not what was encrypted with key «test»",
            &[("OCIM_SECRET_KEYS", &format!("test:{other}"))],
        )
        .await;
    patient.is("keys", "wrong", "encrypted with key «test»", &[("OCIM_SECRET_KEYS", &format!("new:{other}"))]).await;
    patient.is("database", "wrong", "cannot be used", &[("DATABASE_URL", &format!("postgres://a:b@{closed}/x"))]).await;
    patient.is("disk", "wrong", "no build begins", &[("OCIM_MIN_FREE_MB", "1000000000")]).await;
    let tls =
        [("OCIM_BEHIND_TLS", "true"), ("OCIM_PUBLIC_URL", "http://localhost"), ("OCIM_TRUSTED_PROXIES", "10.0.0.1")];
    patient.is("settings", "wrong", "begins with http", &tls).await;
    patient
        .is(
            "public_url",
            "wrong",
            "nowhere.invalid of OCIM_PUBLIC_URL cannot be resolved",
            &[("OCIM_PUBLIC_URL", "https://nowhere.invalid")],
        )
        .await;
    let mail = [("ADMINS", "ops@campus.example"), ("EMAIL_HOST", host), ("EMAIL_PORT", port)];
    patient.is("mail", "wrong", "Mail about failed builds", &mail).await;
    let (found, _) = patient.says("walls", &[("OCIM_ADDRESS_RATE", "0")]).await;
    assert!(
        found.iter().any(|(level, what)| level == "warning" && what.starts_with("OCIM_ADDRESS_RATE: ")),
        "{found:?}"
    );
    patient.app.end().await;
}
