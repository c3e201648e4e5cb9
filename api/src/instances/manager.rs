//! All that the verbs of this module need: the database, the ports, and a few settings.

use std::sync::Arc;

use super::options::Options;
use crate::ansible::port::Ansible;
use crate::git::port::Git;
use crate::instances::application::Application;
use crate::machines::advance::Machines;
use crate::machines::probe::Probe;
use crate::machines::provider::Provider;
use crate::platform::db::Db;
use crate::platform::mail::Mailer;
use crate::platform::trouble::Trouble;
use crate::routing::bad_routes::BadRoutes;
use crate::routing::traffic::Traffic;

/// What an instance needs outside.
#[derive(Debug)]
pub struct Ports {
    /// Who makes machines.
    pub provider: Arc<dyn Provider>,
    /// Who asks machines.
    pub probe: Arc<dyn Probe>,
    /// The gateway.
    pub traffic: Arc<dyn Traffic>,
    /// Repositories.
    pub git: Arc<dyn Git>,
    /// Ansible.
    pub ansible: Arc<dyn Ansible>,
}

/// What the verbs work with.
#[derive(Debug)]
pub struct Manager {
    /// The database.
    pub db: Db,
    /// Every application type.
    pub applications: Vec<Arc<dyn Application>>,
    /// Who makes machines.
    pub provider: Arc<dyn Provider>,
    /// Who asks machines.
    pub probe: Arc<dyn Probe>,
    /// The gateway.
    pub traffic: Arc<dyn Traffic>,
    /// Repositories.
    pub git: Arc<dyn Git>,
    /// Ansible.
    pub ansible: Arc<dyn Ansible>,
    /// Sends mail to ADMINS; none: there are no ADMINS.
    pub mailer: Option<Arc<dyn Mailer>>,
    /// Settings of builds.
    pub options: Options,
    /// Why no build begins now.
    pub trouble: Trouble,
    /// One at a time tells the gateway, so that an older decision never overwrites a newer one.
    pub(super) telling_gateway: tokio::sync::Mutex<()>,
    /// Which instances have a route that the gateway cannot have.
    pub(super) bad_routes: BadRoutes,
}

impl Manager {
    /// Puts the parts together; without mail.
    pub fn new(db: Db, applications: Vec<Arc<dyn Application>>, ports: Ports, options: Options) -> Self {
        let Ports { provider, probe, traffic, git, ansible } = ports;
        let telling_gateway = tokio::sync::Mutex::new(());
        Self {
            db,
            applications,
            provider,
            probe,
            traffic,
            git,
            ansible,
            mailer: None,
            options,
            trouble: Trouble::default(),
            telling_gateway,
            bad_routes: BadRoutes::default(),
        }
    }

    /// What machines are made with.
    pub fn machines(&self) -> Machines<'_> {
        Machines {
            db: &self.db,
            provider: self.provider.as_ref(),
            probe: self.probe.as_ref(),
            authorized_key: &self.options.authorized_key,
        }
    }
}
