//! Backups of databases outside machines: written, verified, restored and deleted by workers, on request and by the schedule. Server
//! and files are in memory, and fail on request; real ones are in `system::backups`.

mod buckets;
mod cloning;
mod linked;
mod making;
mod place;
mod restoring;
mod scheduling;
mod taking_over;
mod verifying;

use std::sync::Arc;
use std::time::Duration;

use ocim::backups::Backups;
use ocim::backups::fake::FakeBackups;
use ocim::instances::Options;
use ocim::instances::backups::work;
use ocim::instances::traffic::apply_routing;
use ocim::resources::providers::fake::FakeServer;
use ocim::resources::registry::{Named, Servers};
use serde_json::{Value, json};
use shared_types::{ResourceKind, Role};

use self::linked::Linked;
use super::resources::stored;
use crate::app::{Setup, TestApp};

const PATH: &str = "/api/v1/instances";
/// What databases hold: three tables, and one more.
pub const OLD: &str = "a\nb\nc";
pub const NEW: &str = "a\nb\nc\nd";

/// The program with a server of MySQL and a place for backups. Works are done only when the test does them.
pub struct World {
    pub app: TestApp,
    pub server: Arc<FakeServer>,
    pub backups: Arc<FakeBackups>,
    /// An instance with the databases `pages` and `readers`, called `one`.
    pub instance: i64,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other options.
    pub async fn with(options: fn(&mut Options)) -> Self {
        Self::begun(options, false).await
    }

    /// With a worker, which does all works.
    pub async fn working() -> Self {
        Self::begun(|_| {}, true).await
    }

    async fn begun(options: fn(&mut Options), works: bool) -> Self {
        let (server, backups) = (Arc::new(FakeServer::new(ResourceKind::Mysql)), Arc::new(FakeBackups::default()));
        let linked = Arc::new(Linked { server: server.clone(), backups: backups.clone() });
        let main = Named { name: "main".parse().unwrap(), server: linked, is_default: true, is_exclusive: false };
        let resources = Servers::new([main]);
        let setup = Setup { works, resources, backups: Some(backups.clone()), options, ..Setup::default() };
        let app = TestApp::with(setup).await;
        let instance = stored(&app, "one").await;
        assert_eq!(app.built(instance).await["status"], "running");
        Self { app, server, backups, instance }
    }

    pub fn path(&self) -> String {
        format!("{PATH}/{}/backups", self.instance)
    }

    pub async fn shown(&self) -> Value {
        self.app.viewer().await.get(&self.path()).await.expect(200)
    }

    /// The newest backup.
    pub async fn newest(&self) -> Value {
        self.shown().await["items"][0].clone()
    }

    /// Asks for a backup; gives its id.
    pub async fn requested(&self) -> i64 {
        self.app.operator().await.post(&self.path(), json!({})).await.expect(202)["id"].as_i64().unwrap()
    }

    /// A complete backup.
    pub async fn complete(&self) -> i64 {
        let id = self.requested().await;
        self.work().await;
        assert_eq!(self.newest().await["state"], "complete");
        id
    }

    /// Asks for a work on a backup, as an administrator.
    pub async fn asks(&self, backup: i64, verb: &str) -> Value {
        let body = if verb == "restore" { json!({ "confirm": "one" }) } else { json!({}) };
        let path = format!("{}/{backup}/{verb}", self.path());
        self.app.person(Role::Admin).await.post(&path, body).await.expect(202)
    }

    /// Does what is due, while the gateway is told what is decided.
    pub async fn work(&self) {
        tokio::select! {
            done = work::sweep(&self.app.manager) => done.unwrap(),
            () = self.tell_gateway() => {}
        }
        // What the work has decided last.
        let _ = apply_routing::apply_behind(&self.app.manager).await;
    }

    async fn tell_gateway(&self) {
        loop {
            let _ = apply_routing::apply_behind(&self.app.manager).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets a postponed work be due.
    pub async fn hurry(&self) {
        self.app.execute("UPDATE backups SET next_try = now() WHERE next_try IS NOT NULL").await;
    }

    /// Lets the claims of dead workers expire.
    pub async fn outlive_claims(&self) {
        self.app.execute("UPDATE backups SET claimed_until = now() WHERE claimed_until IS NOT NULL").await;
    }

    /// The names of the instance's databases at the server: `pages`, `readers`.
    pub async fn names(&self) -> [String; 2] {
        let listed = self.app.viewer().await.get(&format!("{PATH}/{}/resources", self.instance)).await.expect(200);
        [1, 2].map(|nth| listed["items"][nth]["remote_name"].as_str().unwrap().to_owned())
    }

    /// Whether these databases hold this.
    pub fn hold(&self, names: &[String], content: &str) -> bool {
        names.iter().all(|name| self.backups.database(name) == content)
    }

    /// How many backups have files.
    pub async fn places(&self) -> usize {
        self.backups.list().await.unwrap().len()
    }

    /// How many lines of the instance's log contain these words.
    pub async fn lines(&self, words: &str) -> i64 {
        let words = words.replace('\'', "''");
        let query = "SELECT count(*) AS n FROM log_entries WHERE app_server_id IS NULL AND text LIKE";
        self.app.number(&format!("{query} '%{words}%'")).await
    }

    /// What the gateway shows to visitors of the instance.
    pub fn notice(&self) -> Option<String> {
        self.app.traffic.notice("one.campus.example")
    }
}
