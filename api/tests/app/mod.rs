//! The whole program with a database of its own and fakes for all external systems: machines, Ansible, the gateway.

mod addresses;
pub mod cable;
mod client;
pub mod copies;
pub mod crash;
mod gate;
pub mod github;
mod http;
pub mod notebook;
pub mod ports;
mod postgres;
mod probes;
pub mod settings;
mod setup;
mod site;
pub mod stories;
mod stream;
mod tutor;
mod waiting;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use ocim::ansible::fake::FakeAnsible;
use ocim::app::App;
use ocim::applications;
use ocim::config::Settings;
use ocim::git::fake::FakeGit;
use ocim::instances::application::Application;
use ocim::instances::{Manager, Ports};
use ocim::machines::probe::Probe;
use ocim::machines::provider::Provider;
use ocim::machines::providers::fake::FakeProvider;
use ocim::machines::registry::{Named, Providers};
use ocim::platform::db::Db;
use ocim::platform::events::Bus;
use ocim::platform::guard::Guard;
use ocim::platform::mail::fake::FakeMailer;
use ocim::platform::users::Secret;
use ocim::platform::users::store::{self, tokens};
use ocim::pull_requests::Watch;
use ocim::routing::providers::fake::FakeTraffic;
use ocim::start::assembly::{self, Admission, Parts};
use ocim::worker::{Duties, Worker};
use shared_types::user::Scope;
use shared_types::{Role, UserId};
use tokio_util::sync::CancellationToken;

pub use addresses::own_address;
pub use client::{Answer, Client, Credentials};
pub use gate::GatedAnsible;
pub use http::{http, install_tls};
pub use postgres::Database;
pub use setup::Setup;
pub use site::Site;
pub use stream::Stream;
use waiting::holds_soon;
pub use waiting::{until, until_within};

/// How long a test waits for a condition.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many machines have a web server.
const SITES: usize = 6;

/// The program under test.
pub struct TestApp {
    pub db: Db,
    pub manager: Arc<Manager>,
    /// The watch for pull requests.
    pub watch: Arc<Watch>,
    pub provider: Arc<FakeProvider>,
    /// The provider that `Setup::other` names.
    pub other: Arc<FakeProvider>,
    pub traffic: Arc<FakeTraffic>,
    pub git: Arc<FakeGit>,
    pub ansible: Arc<FakeAnsible>,
    pub mailer: Arc<FakeMailer>,
    pub sites: Vec<Site>,
    pub bus: Bus,
    pub guard: Arc<Guard>,
    /// Cancelling it stops the program.
    pub stop: CancellationToken,
    client: Client,
    slots: usize,
    worker: Option<Worker>,
    server: actix_web::dev::ServerHandle,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    database: Option<Database>,
    _runs: tempfile::TempDir,
}

impl TestApp {
    /// Starts with a worker.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts without a worker.
    pub async fn idle() -> Self {
        Self::with(Setup { works: false, ..Setup::default() }).await
    }

    /// Starts with this setup.
    pub async fn with(setup: Setup) -> Self {
        install_tls();
        let database = match setup.database {
            Some(database) => database,
            None => Database::migrated().await,
        };
        let db = database.open();
        let stop = CancellationToken::new();
        let mut sites = Vec::new();
        for _ in 0..SITES {
            sites.push(Site::start(stop.clone()).await);
        }
        let provider = Arc::new(FakeProvider::new(sites.iter().map(|site| site.address).collect()));
        let traffic = Arc::new(FakeTraffic::new());
        let (git, ansible) = (Arc::new(FakeGit::default()), Arc::new(FakeAnsible::with_tasks(3)));
        let runs = tempfile::tempdir().unwrap();
        let mut options = settings::options(runs.path(), PATIENCE, Duration::from_millis(5));
        options.drain_limit = Duration::from_secs(1);
        (setup.options)(&mut options);
        let addresses = sites.iter().map(|site| site.address).collect();
        let other = Arc::new(FakeProvider::new(addresses).beginning_at(100));
        let mut machines: (Arc<dyn Provider>, Arc<dyn Probe>) = (provider.clone(), provider.clone());
        if setup.other.is_some() {
            machines.1 = Arc::new(probes::TwoProbes(provider.clone(), other.clone()));
        }
        if let Some(make) = setup.machines {
            machines = make(db.installation().await.unwrap(), sites[0].address);
        }
        let default = Named { name: machines.0.kind().into(), provider: machines.0, budget: setup.budget };
        let second =
            setup.other.map(|name| Named { name: name.parse().unwrap(), provider: other.clone(), budget: None });
        let ports = Ports {
            providers: Providers::new(default, second),
            probe: machines.1,
            traffic: setup.gateway.unwrap_or_else(|| traffic.clone()),
            git: setup.git.unwrap_or_else(|| git.clone()),
            ansible: setup.ansible.unwrap_or_else(|| ansible.clone()),
            resources: setup.resources,
        };
        let mailer = Arc::new(FakeMailer::default());
        let bus = Bus::start(db.clone(), stop.clone()).await.unwrap();
        let mut settings = Settings::default();
        (settings.guard.ocim_principal_rate, settings.guard.ocim_address_rate) = (0, 0);
        (setup.guard)(&mut settings);
        (setup.settings)(&mut settings);
        let parts = Parts {
            db: db.clone(),
            applications: applications(),
            ports,
            sandbox: None,
            backups: setup.backups,
            mailer: setup.mailer.unwrap_or_else(|| Some(mailer.clone())),
            names: setup.names,
            options,
            configuration_repository: "https://git.example/configuration.git".to_owned(),
        };
        let watch = parts.assemble(&settings).unwrap();
        let worker = match setup.works {
            true => Some(
                Worker::start(watch.clone(), &bus, Duties { slots: setup.slots, tells_gateway: true }, stop.clone())
                    .await
                    .unwrap(),
            ),
            false => None,
        };
        let pulse = Some(worker.as_ref().map(Worker::pulse).unwrap_or_default());
        let admission = Admission::new(&settings).unwrap();
        let guard = admission.guard.clone();
        let app = assembly::app(&settings, admission, watch.clone(), bus.clone(), pulse, stop.clone()).unwrap();
        let (base, server, serving) = serve(app);
        // A kept connection may be closed by the server just as a request is sent on it, which fails on a loaded machine.
        let client = http().redirect(reqwest::redirect::Policy::none()).pool_max_idle_per_host(0).build().unwrap();
        let client = Client { http: client, base, credentials: Credentials::None };
        let (slots, database) = (setup.slots, Some(database));
        Self {
            db,
            manager: watch.manager.clone(),
            watch,
            provider,
            other,
            traffic,
            git,
            ansible,
            mailer,
            sites,
            bus,
            guard,
            stop,
            client,
            slots,
            worker,
            server,
            serving,
            database,
            _runs: runs,
        }
    }

    /// A connection to the test's database.
    pub async fn conn(&self) -> ocim::platform::db::Connection {
        self.db.conn().await.unwrap()
    }

    /// A client without credentials.
    pub fn anonymous(&self) -> Client {
        self.client.clone()
    }

    /// A client with a token of this role.
    pub async fn person(&self, role: Role) -> Client {
        let secret = Secret::random().unwrap();
        let mut conn = self.conn().await;
        let user = user(&mut conn, role).await;
        tokens::insert(&mut conn, user, ("test", role, Scope::ALL, 1), &secret.hash()).await.unwrap();
        self.client.with(Credentials::Token(secret.reveal().to_owned()))
    }

    /// A client of this role with a browser session.
    pub async fn session(&self, role: Role) -> Client {
        let secret = Secret::random().unwrap();
        let mut conn = self.conn().await;
        let user = user(&mut conn, role).await;
        let expires = Utc::now() + chrono::Duration::days(1);
        store::begin_session(&mut conn, user, &secret.hash(), expires).await.unwrap();
        self.client.with(Credentials::Cookie(secret.reveal().to_owned()))
    }

    /// A client that may only read.
    pub async fn viewer(&self) -> Client {
        self.person(Role::Viewer).await
    }

    /// A client that may create, launch and activate.
    pub async fn operator(&self) -> Client {
        self.person(Role::Operator).await
    }

    /// The integer in column `n` of the query's one row.
    pub async fn number(&self, query: &str) -> i64 {
        number(&mut *self.conn().await, query).await
    }

    /// One text from the database: the column `text` of the query's one row.
    pub async fn text(&self, query: &str) -> String {
        diesel::sql_query(query).get_result::<Words>(&mut *self.conn().await).await.unwrap().text
    }

    /// Changes the database in a way that no operation does.
    pub async fn execute(&self, statement: &str) {
        diesel::sql_query(statement).execute(&mut *self.conn().await).await.unwrap();
    }

    /// Stops the program in order, and asserts that no job, lease or gap in a log is left.
    pub async fn end(mut self) {
        // Without a worker, jobs may be left.
        if self.worker.is_some() {
            let mut left = String::new();
            let is_done = async || {
                left = self.text(JOBS).await;
                left.is_empty()
            };
            assert!(holds_soon(is_done).await, "jobs are left: {left}");
        }
        assert_eq!(self.number(GAPS).await, 0, "the logs have gaps");
        assert_eq!(
            self.number("SELECT count(*) AS n FROM builds WHERE lease_holder IS NOT NULL").await,
            0,
            "held leases"
        );
        self.stop.cancel();
        self.server.stop(false).await;
        (&mut self.serving).await.unwrap().unwrap();
        if let Some(worker) = self.worker.take() {
            worker.ended().await;
        }
        self.database.take().unwrap().discard();
    }
}

/// The remaining jobs, with their last errors.
const JOBS: &str = "SELECT coalesce(string_agg(concat_ws(': ', task_identifier, last_error), '; '), '') AS text \
    FROM graphile_worker.jobs";

/// App servers whose log does not count 1, 2, 3, … up to what its counter says.
const GAPS: &str = "SELECT count(*) AS n FROM log_counters AS c WHERE c.pruned_at IS NULL AND c.last_seq <> ALL (ARRAY[\
    (SELECT count(*) FROM log_entries AS e WHERE e.app_server_id = c.app_server_id), \
    (SELECT coalesce(max(seq), 0) FROM log_entries AS e WHERE e.app_server_id = c.app_server_id)])";

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        assert!(self.database.is_none() || std::thread::panicking(), "the test must call end()");
    }
}

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

#[derive(diesel::QueryableByName)]
struct Words {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// The column `n` of a query's one row.
pub async fn number(conn: &mut AsyncPgConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Number>(conn).await.unwrap().n
}

/// A new user of this role. No password matches its hash.
async fn user(conn: &mut AsyncPgConnection, role: Role) -> UserId {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
    let name = format!("{}-{}", role.as_str(), COUNT.fetch_add(1, Ordering::Relaxed));
    assert!(store::insert(conn, &name, "no password has this hash", role).await.unwrap());
    store::by_name(conn, &name).await.unwrap().unwrap().0
}

/// The program's types, and one of the tests.
pub fn applications() -> Vec<Arc<dyn Application>> {
    vec![Arc::new(settings::open_edx()), Arc::new(tutor::tutor()), Arc::new(site_type()), Arc::new(notebook::Notebook)]
}

/// The type for sites, with defaults that point to no real server.
fn site_type() -> applications::site::Site {
    let defaults = applications::site::Defaults { base_domain: "campus.example".into(), protocol: "https".into() };
    let urls = ocim::routing::public::PublicUrls::at_port(8080);
    applications::site::Site { defaults, urls, examples: "/srv/examples".into() }
}

fn serve(app: App) -> (String, actix_web::dev::ServerHandle, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let server = ocim::start::http(app, listener).unwrap();
    (base, server.handle(), tokio::spawn(server))
}
