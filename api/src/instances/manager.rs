//! What the operations of this module need: the database, the ports, and the settings.

use std::sync::Arc;

use super::access::InstanceTeams;
use super::access::team::Teams;
use super::options::Options;
use super::store::providers;
use crate::ansible::port::Ansible;
use crate::backups::Backups;
use crate::certificates::Certifier;
use crate::certificates::files::Files;
use crate::dns::Names;
use crate::git::port::Git;
use crate::instances::application::Application;
use crate::machines::advance::Machines;
use crate::machines::probe::Probe;
use crate::machines::registry::Providers;
use crate::platform::db::{Db, DbError};
use crate::platform::mail::Mailer;
use crate::platform::sandbox::Sandbox;
use crate::platform::trouble::Trouble;
use crate::resources::Works;
use crate::resources::registry::Servers;
use crate::routing::bad_routes::BadRoutes;
use crate::routing::traffic::Traffic;

/// The interfaces of an instance to the outside.
#[derive(Debug)]
pub struct Ports {
    pub providers: Providers,
    pub probe: Arc<dyn Probe>,
    pub traffic: Arc<dyn Traffic>,
    pub git: Arc<dyn Git>,
    pub ansible: Arc<dyn Ansible>,
    /// The servers of what instances have outside their machines.
    pub resources: Servers,
}

/// What the operations of this module work with.
#[derive(Debug)]
pub struct Manager {
    pub db: Db,
    pub applications: Vec<Arc<dyn Application>>,
    pub providers: Providers,
    pub probe: Arc<dyn Probe>,
    pub traffic: Arc<dyn Traffic>,
    pub git: Arc<dyn Git>,
    pub ansible: Arc<dyn Ansible>,
    /// The servers of what instances have outside their machines.
    pub resources: Servers,
    /// Writes and reads backups of databases; None: the settings name no place for them.
    pub backups: Option<Arc<dyn Backups>>,
    /// Gets certificates from an authority; None: the settings name none.
    pub certifier: Option<Arc<Certifier>>,
    /// Reads certificates from files; None: the settings name no directory.
    pub certificate_files: Option<Arc<Files>>,
    /// Sends mail to ADMINS; None if there are no ADMINS.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Points host names at the gateways.
    pub names: Names,
    /// Reads the teams whose members may log in to machines; none: no teams can be read.
    pub teams: Option<Arc<dyn Teams>>,
    /// The walls around foreign code; none: nothing runs any.
    pub sandbox: Option<Arc<Sandbox>>,
    pub options: Options,
    /// Why no build may begin now, if there is a reason.
    pub trouble: Trouble,
    /// Held while the gateway is told, so that an older decision never overwrites a newer one.
    pub(super) telling_gateway: tokio::sync::Mutex<()>,
    /// Instances with a route that the gateway refuses.
    pub(super) bad_routes: BadRoutes,
    /// The teams that instances name.
    pub(super) instance_teams: InstanceTeams,
}

impl Manager {
    /// A manager without backups, mail and DNS, and with no trouble known.
    pub fn new(db: Db, applications: Vec<Arc<dyn Application>>, ports: Ports, options: Options) -> Self {
        let Ports { providers, probe, traffic, git, ansible, resources } = ports;
        let telling_gateway = tokio::sync::Mutex::new(());
        Self {
            db,
            applications,
            providers,
            probe,
            traffic,
            git,
            ansible,
            resources,
            backups: None,
            certifier: None,
            certificate_files: None,
            mailer: None,
            names: Names::default(),
            teams: None,
            sandbox: None,
            options,
            trouble: Trouble::default(),
            telling_gateway,
            bad_routes: BadRoutes::default(),
            instance_teams: InstanceTeams::default(),
        }
    }

    /// Records the providers and their budgets, which hold for the builds of all workers.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer.
    pub async fn declare_providers(&self) -> Result<(), DbError> {
        let all: Vec<_> = self.providers.iter().map(|one| (&one.name, one.budget)).collect();
        providers::declare(&mut *self.db.conn().await?, &all).await
    }

    /// The operations on what instances have outside their machines, with this manager's servers and keys.
    pub fn works(&self) -> Works<'_> {
        Works { db: &self.db, servers: &self.resources, keyring: &self.options.keyring }
    }

    /// The operations on machines, with this manager's providers and keys.
    pub fn machines(&self) -> Machines<'_> {
        Machines {
            db: &self.db,
            providers: &self.providers,
            probe: self.probe.as_ref(),
            keyring: &self.options.keyring,
            shared_key: &self.options.shared_key,
        }
    }
}
