//! Simulates a process of the program that is killed at a named point: before or after one of its external effects.
//!
//! It has its own runtime, connections and manager; killing it drops every task and connection where it stands, as
//! `kill -9` does. External state (machines, playbooks, gateway) is shared with the test's own process, and stays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ocim::ansible::fake::FakeAnsible;
use ocim::ansible::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use ocim::git::fake::FakeGit;
use ocim::git::port::{Git, GitError, Progress};
use ocim::instances::builds::Builder;
use ocim::instances::{Manager, Ports};
use ocim::machines::key::KeyPair;
use ocim::machines::probe::{Login, Probe, SshError};
use ocim::machines::provider::{Machine, MachineOffer, MachineRef, MachineSpec, Provider, ProviderError};
use ocim::machines::providers::fake::FakeProvider;
use ocim::machines::registry::Providers;
use ocim::platform::db::Db;
use ocim::resources;
use ocim::resources::registry::Servers;
use ocim::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};
use ocim::routing::providers::fake::FakeTraffic;
use ocim::routing::traffic::{Answer, AskError, Question, Route, Traffic, TrafficError};
use shared_types::resource::ResourcePart;
use shared_types::{AppServerId, ProviderKind, ResourceKind, ServerId};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{PATIENCE, TestApp};

/// The crash points that the process has passed, and the one at which it dies.
#[derive(Debug)]
struct Points {
    /// Number of the crash point, from 1; 0: the process does not die.
    dies_at: usize,
    passed: AtomicUsize,
    names: Mutex<Vec<String>>,
    died: watch::Sender<bool>,
}

impl Points {
    /// Runs one external effect, with a crash point before it and one after it.
    async fn around<T>(&self, effect: &str, work: impl Future<Output = T>) -> T {
        self.pass(format!("before {effect}")).await;
        let done = work.await;
        self.pass(format!("after {effect}")).await;
        done
    }

    async fn pass(&self, name: String) {
        let passed = self.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if self.dies_at > 0 && passed > self.dies_at {
            // The process counts as dead until the test drops it; a timeout around this future must not revive it.
            std::future::pending::<()>().await;
        }
        self.names.lock().unwrap().push(name);
        if passed == self.dies_at {
            self.died.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug)]
struct Outside {
    points: Arc<Points>,
    provider: Arc<FakeProvider>,
    git: Arc<FakeGit>,
    ansible: Arc<FakeAnsible>,
    traffic: Arc<FakeTraffic>,
}

#[async_trait]
impl Provider for Outside {
    fn kind(&self) -> ProviderKind {
        self.provider.kind()
    }

    fn offers(&self) -> MachineOffer {
        self.provider.offers()
    }

    fn ssh_user(&self) -> &str {
        self.provider.ssh_user()
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        self.points.around("find", self.provider.find(machine)).await
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        self.points.around("create", self.provider.create(spec)).await
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.points.around("reboot", self.provider.reboot(machine)).await
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.points.around("terminate", self.provider.terminate(machine)).await
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        self.provider.list().await
    }
}

#[async_trait]
impl Probe for Outside {
    async fn answers_ssh(&self, address: SocketAddr) -> bool {
        self.points.around("ssh", self.provider.answers_ssh(address)).await
    }

    async fn boot_marker(&self, login: &Login) -> Result<String, SshError> {
        self.points.around("boot marker", self.provider.boot_marker(login)).await
    }

    async fn replace_key(&self, login: &Login, next: &KeyPair) -> Result<(), SshError> {
        self.points.around("replace key", self.provider.replace_key(login, next)).await
    }

    async fn install_people(&self, login: &Login, block: &str) -> Result<(), SshError> {
        self.points.around("install people", self.provider.install_people(login, block)).await
    }
}

#[async_trait]
impl Git for Outside {
    async fn resolve(&self, repository: &str, version: &str) -> Result<String, GitError> {
        self.points.around("resolve", self.git.resolve(repository, version)).await
    }

    async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &Path,
        progress: &mut dyn Progress,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        self.git.check_out(repository, commit, dir, progress, cancel).await
    }
}

#[async_trait]
impl Ansible for Outside {
    async fn prepare(
        &self,
        spec: &LoadSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        self.points.around("prepare", self.ansible.prepare(spec, sink, cancel)).await
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        self.points.around("run", self.ansible.run(spec, sink, cancel)).await
    }

    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        self.points.around("recover", self.ansible.recover(dir, position, sink)).await
    }
}

#[async_trait]
impl Traffic for Outside {
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError> {
        self.points.around("apply routes", self.traffic.apply(routes)).await
    }

    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError> {
        self.points.around("replace routes", self.traffic.replace_all(routes)).await
    }

    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        self.traffic.open_connections(target).await
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        self.traffic.answers().await
    }

    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError> {
        self.points.around("ask", self.traffic.ask(target, question)).await
    }
}

/// A server whose calls are crash points.
#[derive(Debug)]
struct Store {
    points: Arc<Points>,
    server: Arc<dyn ResourceServer>,
}

#[async_trait]
impl ResourceServer for Store {
    fn kind(&self) -> ResourceKind {
        self.server.kind()
    }

    fn endpoint(&self) -> &Endpoint {
        self.server.endpoint()
    }

    fn numbers(&self) -> Option<u32> {
        self.server.numbers()
    }

    fn shared_account(&self) -> Option<Account> {
        self.server.shared_account()
    }

    fn options(&self) -> BTreeMap<String, String> {
        self.server.options()
    }

    async fn has(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.points.around("look for a resource", self.server.has(part, name)).await
    }

    async fn is_used(&self, part: ResourcePart, name: &str) -> Result<bool, ServerError> {
        self.points.around("look for a name", self.server.is_used(part, name)).await
    }

    async fn names(&self, part: ResourcePart, prefix: &str) -> Result<Vec<String>, ServerError> {
        self.server.names(part, prefix).await
    }

    async fn make_account(&self, account: &Account, attempt: Attempt) -> Result<(), ServerError> {
        self.points.around("make an account", self.server.make_account(account, attempt)).await
    }

    async fn make_database(&self, name: &str, username: &str, attempt: Attempt) -> Result<(), ServerError> {
        self.points.around("make a database", self.server.make_database(name, username, attempt)).await
    }

    async fn admit(&self, bucket: &str, admitted: &Admitted<'_>) -> Result<Vec<String>, ServerError> {
        self.points.around("open a bucket", self.server.admit(bucket, admitted)).await
    }

    async fn delete_database(&self, name: &str) -> Result<(), ServerError> {
        self.points.around("delete a database", self.server.delete_database(name)).await
    }

    async fn delete_account(&self, username: &str) -> Result<(), ServerError> {
        self.points.around("delete an account", self.server.delete_account(username)).await
    }

    async fn size(&self, database: &str) -> Result<Option<u64>, ServerError> {
        self.server.size(database).await
    }
}

/// These servers, with crash points.
fn stores(points: &Arc<Points>, servers: &Servers) -> Servers {
    Servers::new(servers.iter().cloned().map(|own| {
        let server = Arc::new(Store { points: points.clone(), server: own.server.clone() });
        resources::registry::Named { server, ..own }
    }))
}

/// How the simulated process ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// It died at the crash point of this name.
    Died(String),
    /// It ended by itself after passing these crash points.
    Done(Vec<String>),
}

impl TestApp {
    /// Another process advances a build and dies at crash point `dies_at` (from 1; 0: it does not die).
    pub async fn advance_elsewhere(&self, id: i64, dies_at: usize) -> End {
        self.elsewhere(dies_at, move |builder| async move { builder.advance(AppServerId(id)).await.unwrap() }).await
    }

    /// Runs `work` in another process, which dies at crash point `dies_at` (from 1; 0: it does not die).
    pub async fn elsewhere<F>(&self, dies_at: usize, work: impl FnOnce(Builder) -> F + Send + 'static) -> End
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (died, mut has_died) = watch::channel(false);
        let points = Arc::new(Points { dies_at, passed: AtomicUsize::new(0), names: Mutex::default(), died });
        let outside = Arc::new(Outside {
            points: points.clone(),
            provider: self.provider.clone(),
            git: self.git.clone(),
            ansible: self.ansible.clone(),
            traffic: self.traffic.clone(),
        });
        let resources = stores(&points, &self.manager.resources);
        let (url, options) = (format!("{}?application_name=elsewhere", self.db.url()), self.manager.options.clone());
        let applications = self.manager.applications.clone();
        let process = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut done = process.spawn(async move {
            let db = Db::open(&url).unwrap();
            let ports = Ports {
                providers: Providers::single(outside.clone()),
                probe: outside.clone(),
                traffic: outside.clone(),
                git: outside.clone(),
                ansible: outside,
                resources,
            };
            let manager = Manager::new(db, applications, ports, options);
            work(Builder::new(Arc::new(manager), 4, CancellationToken::new())).await;
        });
        let is_dead = tokio::time::timeout(PATIENCE, async {
            tokio::select! {
                died = has_died.wait_for(|died| *died) => died.map(|_| true).unwrap(),
                ended = &mut done => { ended.unwrap(); false }
            }
        });
        let is_dead = is_dead.await.expect("the process neither ended nor died");
        process.shutdown_background();
        // Once its connections are closed, each statement that it sent is either committed or rolled back.
        let connections = "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'elsewhere' \
            AND datname = current_database()";
        super::until("the dead process's connections are closed", async || self.number(connections).await == 0).await;
        let names = points.names.lock().unwrap().clone();
        if is_dead { End::Died(names.last().unwrap().clone()) } else { End::Done(names) }
    }

    /// Lets the leases and claims of dead processes expire.
    pub async fn outlive_leases(&self) {
        self.execute(
            "UPDATE resources SET claimed_until = now() - interval '1 second' WHERE claimed_until IS NOT NULL",
        )
        .await;
        let over = "UPDATE builds SET lease_until = now() - interval '1 second' WHERE lease_holder IS NOT NULL";
        diesel_async::RunQueryDsl::execute(diesel::sql_query(over), &mut *self.conn().await).await.unwrap();
    }
}
