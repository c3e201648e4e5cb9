//! A Postgres with production settings, databases in it, and the program with fakes for all external systems.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ocim::ansible::port::Ansible;
use ocim::config::Settings;
use ocim::git::fake::FakeGit;
use ocim::instances::builds::launch::{self, Request};
use ocim::instances::settings::create::{self, NewInstanceRequest};
use ocim::instances::{Manager, Ports};
use ocim::machines::providers::fake::FakeProvider;
use ocim::machines::providers::fake_web;
use ocim::machines::registry::Providers;
use ocim::platform::db::embedded::{EmbeddedOptions, EmbeddedPostgres};
use ocim::platform::db::{Db, migrations};
use ocim::platform::origin::Actor;
use ocim::pull_requests::Watch;
use ocim::resources::registry::Servers;
use ocim::routing::providers::fake::FakeTraffic;
use ocim::start::assembly::Parts;
use secrecy::ExposeSecret;
use serde_json::json;
use shared_types::{AppServerId, InstanceId, Trigger};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::measure::{connect, number};
use crate::settings;

/// Longer than any step of a bench takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The Postgres server of this run, durable as in production.
pub struct Server {
    postgres: EmbeddedPostgres,
    dir: TempDir,
}

impl Server {
    pub async fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("ocim-bench-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let postgres = EmbeddedPostgres::start(dir.path(), EmbeddedOptions::default()).await.unwrap();
        Self { postgres, dir }
    }

    pub fn url(&self) -> String {
        self.postgres.url().expose_secret().to_owned()
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub async fn stop(self) {
        self.postgres.stop().await.unwrap();
    }
}

/// A new migrated database for one case; gives its URL.
pub async fn database(server: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("bench_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    connect(server).await.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    let url = format!("{}/{name}", server.rsplit_once('/').unwrap().0);
    migrations::migrate(&Db::open(&url).unwrap()).await.unwrap();
    url
}

/// A web server that answers for every fake machine.
pub async fn web(stop: &CancellationToken) -> SocketAddr {
    fake_web::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), stop.clone()).await.unwrap()
}

/// The program's operations on a database, with production settings.
pub struct World {
    pub manager: Arc<Manager>,
    /// Of no repository.
    pub watch: Arc<Watch>,
    _runs: TempDir,
}

impl World {
    pub fn open(url: &str, web: SocketAddr, ansible: Arc<dyn Ansible>) -> Self {
        Self::with_poll(url, web, ansible, Duration::from_millis(200))
    }

    /// Like `open`, with this interval for polling machines and sites.
    pub fn with_poll(url: &str, web: SocketAddr, ansible: Arc<dyn Ansible>, poll: Duration) -> Self {
        let runs = tempfile::tempdir().unwrap();
        let provider = Arc::new(FakeProvider::new(vec![web]));
        let traffic = Arc::new(FakeTraffic::new());
        let applications: Vec<Arc<dyn ocim::instances::application::Application>> =
            vec![Arc::new(settings::open_edx())];
        let db = Db::open(url).unwrap();
        let options = settings::options(runs.path(), PATIENCE, poll);
        let git = Arc::new(FakeGit::default());
        let (providers, resources) = (Providers::single(provider.clone()), Servers::default());
        let ports = Ports { providers, probe: provider, traffic, git, ansible, resources };
        let configuration_repository = String::new();
        let parts = Parts {
            db,
            applications,
            ports,
            sandbox: None,
            backups: None,
            mailer: None,
            names: ocim::dns::Names::default(),
            options,
            configuration_repository,
        };
        let watch = parts.assemble(&Settings::default()).unwrap();
        Self { manager: watch.manager.clone(), watch, _runs: runs }
    }

    pub async fn instance(&self, number: usize) -> InstanceId {
        let settings = json!({ "sub_domain": format!("i{number}") }).as_object().unwrap().clone();
        let request =
            NewInstanceRequest { name: format!("Instance {number}"), instance_type: "openedx".into(), settings };
        let mut conn = self.manager.db.conn().await.unwrap();
        create::create(&self.manager, &mut conn, &Actor::User("bench".to_owned()), request).await.unwrap()
    }

    /// Launches an app server of an instance.
    pub async fn launch(&self, instance: InstanceId) -> AppServerId {
        let (mut conn, request) = (self.manager.db.conn().await.unwrap(), Request::once(Trigger::User, None));
        launch::launch(&self.manager, &mut conn, &Actor::User("bench".to_owned()), instance, request).await.unwrap()
    }

    /// Launches `count` app servers, each of a new instance.
    pub async fn launched(&self, count: usize) -> Vec<(InstanceId, AppServerId)> {
        let mut made = Vec::new();
        for number in 0..count {
            let instance = self.instance(number).await;
            made.push((instance, self.launch(instance).await));
        }
        made
    }
}

/// Polls the database until no build is under way.
pub async fn until_built(url: &str) {
    let client = connect(url).await;
    let building = "SELECT count(*) FROM app_servers WHERE status IN ('new', 'waiting', 'configuring')";
    let looking = async {
        while number(&client, building).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.expect("the builds did not end");
    let others = number(&client, "SELECT count(*) FROM app_servers WHERE status <> 'running'").await;
    assert_eq!(others, 0, "builds that did not end well");
}
