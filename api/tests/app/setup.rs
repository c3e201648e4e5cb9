//! How a test's program differs from the default.

use std::net::SocketAddr;
use std::sync::Arc;

use ocim::ansible::port::Ansible;
use ocim::backups::Backups;
use ocim::config::Settings;
use ocim::dns::Names;
use ocim::git::port::Git;
use ocim::instances::Options;
use ocim::machines::probe::Probe;
use ocim::machines::provider::Provider;
use ocim::platform::mail::Mailer;
use ocim::resources::registry::Servers;
use ocim::routing::traffic::Traffic;

use super::Database;

/// Makes a provider and its probe.
pub type MachinesOf = Box<dyn FnOnce(String, SocketAddr) -> (Arc<dyn Provider>, Arc<dyn Probe>) + Send>;

/// How a test's program differs from the default.
pub struct Setup {
    /// In place of a new, empty database.
    pub database: Option<Database>,
    /// Whether a worker runs. Without one, jobs run only when the test runs them.
    pub works: bool,
    /// How many builds the worker runs at once.
    pub slots: usize,
    /// The most machines of the provider.
    pub budget: Option<u32>,
    /// In place of the machines in memory: makes the provider and its probe from the installation's id and the address of
    /// a site that answers for the machines.
    pub machines: Option<MachinesOf>,
    /// The name of another provider; none: there is none.
    pub other: Option<&'static str>,
    /// In place of the scripted git.
    pub git: Option<Arc<dyn Git>>,
    /// In place of the scripted Ansible.
    pub ansible: Option<Arc<dyn Ansible>>,
    /// The servers of what instances have outside their machines.
    pub resources: Servers,
    /// Writes and reads backups; none: the settings name no place for them.
    pub backups: Option<Arc<dyn Backups>>,
    /// Points host names at the gateways; none by default.
    pub names: Names,
    /// In place of the in-memory gateway.
    pub gateway: Option<Arc<dyn Traffic>>,
    /// In place of the mailer that keeps messages in memory; `Some(None)`: mail is off.
    pub mailer: Option<Option<Arc<dyn Mailer>>>,
    /// Changes the options of builds.
    pub options: fn(&mut Options),
    /// Changes the protective limits; by default any number of requests is accepted.
    pub guard: fn(&mut Settings),
    /// Changes settings that depend on what the test has started.
    pub settings: Box<dyn FnOnce(&mut Settings)>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            database: None,
            works: true,
            slots: 4,
            budget: None,
            machines: None,
            other: None,
            git: None,
            ansible: None,
            resources: Servers::default(),
            backups: None,
            names: Names::default(),
            gateway: None,
            mailer: None,
            options: |_| {},
            guard: |_| {},
            settings: Box::new(|_| {}),
        }
    }
}
