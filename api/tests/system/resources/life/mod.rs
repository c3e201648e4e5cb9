//! The life of a site whose content is in a real PostgreSQL, with the program as it is installed: local machines, Ansible, the gateway,
//! Django's migrations.

mod elsewhere;
mod repository;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::{Duration, Instant};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use futures::FutureExt as _;
use serde_json::{Value, json};
use tokio::process::Command;

use self::elsewhere::{Elsewhere, NETWORK};
use crate::app::{http, until_within};
use crate::system::machines::yard::{cache_dir, is_root};
use crate::system::program::{LONG, Load, Program};

const HOST: &str = "pages.localhost";
/// What visitors read on the maintenance page of a build.
const UPGRADED: &str = "The site is being upgraded.";
/// How long each app server serves between two switches under load.
const STAY: Duration = Duration::from_secs(3);
/// Where the site's database is, in the settings of an instance.
const RESOURCES: [(&str, &str); 1] = [("postgresql", "main")];

/// What is on each site, and how its database is reached.
struct Site<'t> {
    program: &'t Program,
    elsewhere: &'t Elsewhere,
    id: i64,
    name: &'static str,
    host: &'static str,
}

impl<'t> Site<'t> {
    async fn create(
        program: &'t Program,
        elsewhere: &'t Elsewhere,
        repository: &Path,
        name: &'static str,
        host: &'static str,
    ) -> Self {
        let resources = RESOURCES.map(|(kind, name)| json!({ "kind": kind, "name": name }));
        let settings = json!({
            "name": name,
            "instance_type": "site",
            "hostnames": [host.split('.').next().unwrap()],
            "playbooks": [{ "repository": repository, "version": "v1" }],
            "checks": [{ "path": "/health/", "statuses": "200", "text": "ok" }],
            "resources": resources,
        });
        let made = program.admin.post("/api/v1/instances", settings).await.expect(201);
        Self { program, elsewhere, id: made["id"].as_i64().unwrap(), name, host }
    }

    fn path(&self, below: &str) -> String {
        format!("/api/v1/instances/{}{below}", self.id)
    }

    async fn read(&self) -> Value {
        self.program.admin.get(&self.path("")).await.expect(200)
    }

    async fn newest_migration(&self) -> Value {
        self.read().await["migrations"][0].clone()
    }

    async fn choose(&self, repository: &Path, version: &str) {
        let etag = self.read().await["etag"].as_str().unwrap().to_owned();
        let playbooks = json!({ "playbooks": [{ "repository": repository, "version": version }] });
        self.program.admin.patch(&self.path(""), &etag, playbooks).await.expect(200);
    }

    /// Builds an app server, which must run.
    async fn builds(&self) -> i64 {
        let begun = Instant::now();
        let id = self.program.launched(self.id).await;
        self.program.until_running(id).await;
        println!("{}: from POST to running {:?}", self.name, begun.elapsed());
        id
    }

    /// Status and text of the home page, as visitors get it.
    async fn page(&self) -> (u16, String) {
        let request = http().build().unwrap().get(format!("http://{}/", self.program.gateway));
        let page = request.header("host", self.host).send().await.unwrap();
        (page.status().as_u16(), page.text().await.unwrap())
    }

    async fn shows(&self, text: &str) {
        let (status, page) = self.page().await;
        assert!(status == 200 && page.contains(text), "{text}: {status} {page}");
    }

    /// Runs SQL as the instance's own account.
    async fn execute(&self, statement: &str) {
        let of = self.program.admin.post(&self.path("/resources/postgresql/credentials"), json!({})).await.expect(200);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (user, password) = (text(&of["username"]), text(&of["password"]));
        let database = text(&of["databases"]["main"]);
        let client = self.elsewhere.postgres.connect(&user, &password, &database).await.unwrap();
        client.batch_execute(statement).await.unwrap();
    }

    async fn writes(&self, text: &str) {
        self.execute(&format!("UPDATE articles_article SET body = '<p>{text}</p>'")).await;
        self.shows(text).await;
    }

    async fn backups(&self) -> Vec<Value> {
        let page = self.program.admin.get(&self.path("/backups")).await.expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until nothing is being done with a backup; gives it.
    async fn settled(&self, backup: i64) -> Value {
        let mut found = Value::Null;
        until_within(LONG, "the work on the backup has ended", async || {
            found = self.backups().await.into_iter().find(|one| one["id"] == backup).unwrap_or_default();
            found["work"].is_null()
        })
        .await;
        assert_eq!(found["trouble"], Value::Null, "{found:#}");
        found
    }

    async fn backs_up(&self) -> i64 {
        let begun = self.program.admin.post(&self.path("/backups"), json!({})).await.expect(202);
        let backup = begun["id"].as_i64().unwrap();
        assert_eq!(self.settled(backup).await["state"], "complete");
        backup
    }

    async fn restores(&self, backup: i64) {
        self.asks_for_restore(backup, json!({ "confirm": self.name })).await;
        self.serves_again().await;
    }

    async fn restores_into(&self, backup: i64, other: &Self) {
        self.asks_for_restore(backup, json!({ "confirm": other.name, "into": other.id })).await;
    }

    async fn asks_for_restore(&self, backup: i64, body: Value) {
        let path = self.path(&format!("/backups/{backup}/restore"));
        self.program.admin.post(&path, body).await.expect(202);
        assert!(self.settled(backup).await["restored"].is_string());
    }

    async fn serves_again(&self) {
        until_within(LONG, "visitors get the site again", async || self.page().await.0 == 200).await;
    }

    /// Deletes machines, backups and data.
    async fn ends(&self, app_servers: &[i64]) {
        self.program.archive(self.id, app_servers).await;
        for backup in self.backups().await {
            let id = &backup["id"];
            self.program.admin.delete(&self.path(&format!("/backups/{id}"))).await.expect(202);
        }
        until_within(LONG, "the backups are deleted", async || self.backups().await.is_empty()).await;
        self.program.admin.post(&self.path("/purge"), json!({ "confirm": self.host })).await.expect(200);
        until_within(LONG, "the data are deleted", async || {
            let resources = self.program.admin.get(&self.path("/resources")).await.expect(200);
            resources["items"].as_array().unwrap().iter().all(|one| one["state"] == "deleted")
        })
        .await;
    }
}

async fn lives(program: &Program, elsewhere: &Elsewhere, repository: &Path, backups: &Path) {
    let before = elsewhere.postgres.listing().await;
    let site = Site::create(program, elsewhere, repository, "Pages", HOST).await;

    // A site with content, which a second app server shows, too.
    let first = site.builds().await;
    program.activate(first).await;
    site.writes("the first text").await;
    let again = site.builds().await;
    let load = Load::start(&program.gateway, &[HOST]);
    for to in [again, first] {
        program.activate(to).await;
        site.shows("the first text").await;
        tokio::time::sleep(STAY).await;
    }
    let (answered, wrong) = load.end().await;
    println!("two switches without a migration: {answered} requests answered, {} failed: {wrong:?}", wrong.len());
    assert!(wrong.is_empty() && answered > 200, "{wrong:?}");

    // The next edition changes the schema: behind the page, after a snapshot.
    site.choose(repository, "v2").await;
    let load = Load::start(&program.gateway, &[HOST]);
    let second = site.builds().await;
    let migration = site.newest_migration().await;
    assert_eq!((&migration["state"], &migration["is_page_up"]), (&json!("done"), &json!(true)), "{migration:#}");
    let (status, page) = site.page().await;
    assert!(status == 503 && page.contains(UPGRADED), "{status} {page}");
    program.activate(second).await;
    site.shows("second edition").await;
    site.shows("the first text").await;
    let (answered, other) = load.end().await;
    let failed = other.iter().filter(|one| !one.starts_with("503")).count();
    println!(
        "a migration: {answered} requests answered, {} by the maintenance page, {failed} failed",
        other.len() - failed
    );
    assert!(failed == 0 && answered > 0, "{other:?}");

    // One that fails half way: the old app server serves the old content again, without a person.
    site.writes("the second text").await;
    site.choose(repository, "v3").await;
    let begun = Instant::now();
    let third = program.launched(site.id).await;
    until_within(LONG, "the snapshot is restored", async || site.newest_migration().await["state"] == "restored").await;
    println!("a failed migration: restored {:?} after the POST", begun.elapsed());
    assert_eq!(program.app_server(third).await["status"], "failed");
    site.serves_again().await;
    site.shows("the second text").await;
    site.shows("second edition").await;

    // Back over the migration, to the data of that time.
    let snapshot = site.backups().await.into_iter().rfind(|one| one["reason"] == "migration").unwrap();
    program.activate(first).await;
    site.restores(snapshot["id"].as_i64().unwrap()).await;
    site.shows("the first text").await;
    assert!(!site.page().await.1.contains("second edition"));

    // A backup, and what was written after it is gone with its restore.
    let backup = site.backs_up().await;
    site.writes("a text that is lost").await;
    site.restores(backup).await;
    site.shows("the first text").await;

    // A copy, which was never launched before, and mails no one.
    let copy = Site::create(program, elsewhere, repository, "Copy", "copy.localhost").await;
    site.restores_into(backup, &copy).await;
    let copied = copy.builds().await;
    let variables = program.app_server(copied).await["configuration_settings"].clone();
    assert!(variables.as_str().unwrap().contains("ocim_neutralised: true"), "{variables}");
    program.activate(copied).await;
    copy.shows("the first text").await;
    copy.writes("a text of the copy").await;
    site.shows("the first text").await;

    copy.ends(&[copied]).await;
    site.ends(&[first, again, second, third]).await;
    assert_eq!(elsewhere.postgres.listing().await, before);
    let left: Vec<_> = fs::read_dir(backups).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs root, PostgreSQL and packages that are fetched: make test-resources"]
async fn a_site_keeps_its_content_through_migrations_and_leaves_nothing_behind() {
    if !is_root() {
        return;
    }
    let elsewhere = Elsewhere::start().await;
    let dir = tempfile::tempdir().unwrap();
    // PostgreSQL, which runs as another user, reaches its own directory in it.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = |name: &str| dir.path().join(name);
    let key = Identity::generate();
    for (name, text) in [("ocim.toml", elsewhere.table().as_str()), ("identity", key.to_string().expose_secret())] {
        fs::write(path(name), text).unwrap();
        fs::set_permissions(path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    fs::create_dir(path("backups")).unwrap();
    let repository = repository::make(dir.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocim"));
    command.env("OCIM_CONFIG", path("ocim.toml")).env("OCIM_DATA_DIR", path("data")).env("OCIM_CACHE_DIR", cache_dir());
    command.env("OCIM_PROVIDER", "local").env("OCIM_LOCAL_NETWORK", "outbound").env("OCIM_SANDBOX_NETWORKS", NETWORK);
    command.env("OCIM_CONFIGURATION_SOURCES", format!("https://*,{}", repository.display()));
    command.env("OCIM_BACKUP_DIR", path("backups")).env("OCIM_BACKUP_RECIPIENTS", key.to_public().to_string());
    command.env("OCIM_BACKUP_IDENTITY_FILE", path("identity"));
    let program = Program::start(command).await;
    let outcome = AssertUnwindSafe(lives(&program, &elsewhere, &repository, &path("backups"))).catch_unwind().await;
    if outcome.is_err() {
        // Its machines must not outlive the test.
        for id in [1, 2] {
            let _ = program.admin.delete(&format!("/api/v1/instances/{id}?terminate=true")).await;
        }
    }
    program.stop().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}
