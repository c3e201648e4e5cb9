//! Puts the program together from its parts. The server, a worker, the API's tests and the benches use this; they
//! differ in what they put in.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio_util::sync::CancellationToken;

use super::options::sources;
use super::{StartError, certificates, sandbox, way_out};
use crate::app::App;
use crate::backups::Backups;
use crate::config::Settings;
use crate::config::gateway::GatewaySettings;
use crate::config::providers::KindSettings;
use crate::dns::Names;
use crate::git::sources::Sources;
use crate::instances::application::Application;
use crate::instances::{Manager, Options, Ports};
use crate::platform::db::Db;
use crate::platform::events::Bus;
use crate::platform::guard::Guard;
use crate::platform::mail::Mailer;
use crate::platform::sandbox::Sandbox;
use crate::platform::users::sign_in::SignIn;
use crate::pull_requests::github::Github;
use crate::pull_requests::teams::GithubTeams;
use crate::pull_requests::{Rules, Watch};
use crate::routing::public::PublicUrls;
use crate::system::System;

/// What the operations need: the database, adapters to external systems, and options.
#[derive(Debug)]
pub struct Parts {
    /// The database, migrated to this program's version.
    pub db: Db,
    /// The application types, in the order in which users see them.
    pub applications: Vec<Arc<dyn Application>>,
    /// Machines, gateway, git and Ansible.
    pub ports: Ports,
    /// The walls around foreign code; none: nothing runs any.
    pub sandbox: Option<Arc<Sandbox>>,
    /// Writes and reads backups of databases; none: there are none.
    pub backups: Option<Arc<dyn Backups>>,
    /// Sends mail to the administrators; none: no mail is sent.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Points host names at the gateways.
    pub names: Names,
    /// The limits and directories of the operations on instances.
    pub options: Options,
    /// The configuration repository that pull requests may always name: URL or path.
    pub configuration_repository: String,
}

impl Parts {
    /// Assembles the operations on instances, and the watch for pull requests, which uses them.
    ///
    /// # Errors
    /// An error that names the invalid setting.
    pub fn assemble(self, settings: &Settings) -> Result<Arc<Watch>, StartError> {
        let mut rules = Rules::new(settings, &self.configuration_repository)?;
        keep_allowed(&mut rules.configuration_repositories, &self.options.sources);
        warn_of_defaults(&self.configuration_repository, &self.options.sources);
        let github = Github::new(settings)?;
        let mut manager = Manager::new(self.db, self.applications, self.ports, self.options);
        manager.certifier = certificates::certifier(settings, &manager, &self.names)?;
        manager.certificate_files = certificates::files(settings, &manager.db, &manager.options.keyring);
        manager.backups = self.backups;
        manager.mailer = self.mailer;
        manager.names = self.names;
        manager.sandbox = self.sandbox;
        if github.can_write() {
            manager.teams = Some(Arc::new(GithubTeams { github: github.clone(), db: manager.db.clone() }));
        }
        Ok(Arc::new(Watch { manager: Arc::new(manager), rules, github }))
    }
}

/// Leaves out the repositories that configuration may not come from: a pull request could not launch with them.
fn keep_allowed(repositories: &mut Vec<String>, sources: &Sources) {
    repositories.retain(|repository| match sources.allows(repository) {
        Ok(()) => true,
        Err(refused) => {
            tracing::warn!("WATCH_CONFIGURATION_REPOSITORIES: a repository is left out. {refused}");
            false
        }
    });
}

fn warn_of_defaults(repository: &str, sources: &Sources) {
    if let Err(refused) = sources.allows(repository) {
        tracing::warn!("DEFAULT_CONFIGURATION_REPO_URL: instances that name no repository cannot launch. {refused}");
    }
}

/// What admits requests and users. Made before anything is started, so that invalid settings end the start at once.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The checks and limits for requests.
    pub guard: Arc<Guard>,
    /// The external identity providers where users can sign in.
    pub sign_in: Arc<SignIn>,
}

impl Admission {
    /// What the settings admit.
    ///
    /// # Errors
    /// An error that names the invalid setting.
    pub fn new(settings: &Settings) -> Result<Self, StartError> {
        sources(settings, &settings.data.ocim_data_dir)?;
        sandbox::check(settings)?;
        for own in settings.providers()? {
            if let KindSettings::Local(own) = own.kind {
                way_out::outbound(settings, &own)?;
            }
        }
        Ok(Self { guard: Arc::new(Guard::new(settings)?), sign_in: Arc::new(SignIn::new(settings)?) })
    }
}

/// The state of the request handlers. `worker`: whether this process's worker runs, none if it has none; `stop` ends streams.
///
/// # Errors
/// An error that names the invalid setting of the gateway, by which public URLs are made.
pub fn app(
    settings: &Settings,
    Admission { guard, sign_in }: Admission,
    watch: Arc<Watch>,
    bus: Bus,
    worker: Option<Arc<AtomicBool>>,
    stop: CancellationToken,
) -> Result<App, StartError> {
    Ok(App {
        manager: watch.manager.clone(),
        db: watch.manager.db.serving(),
        bus,
        watch,
        guard,
        sign_in,
        is_behind_tls: settings.server.ocim_behind_tls,
        has_hsts_subdomains: settings.server.ocim_hsts_subdomains,
        public_urls: PublicUrls::new(&GatewaySettings::new(settings)?),
        stop,
        system: Arc::new(System::new(settings)),
        worker,
    })
}
