//! All that the verbs of this module need: the database, the ports, and a few settings.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::ansible::port::Ansible;
use crate::git::port::Git;
use crate::instances::application::Application;
use crate::machines::advance::Machines;
use crate::machines::probe::Probe;
use crate::machines::provider::Provider;
use crate::platform::db::Db;
use crate::platform::mail::Mailer;
use crate::platform::trouble::Trouble;
use crate::platform::vault::Keyring;
use crate::routing::bad_routes::BadRoutes;
use crate::routing::traffic::Traffic;

/// Settings of builds.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where runs of playbooks have their directories.
    pub runs_dir: PathBuf,
    /// Where clones and virtualenvs are.
    pub cache_dir: PathBuf,
    /// Megabytes that must be free on the disks of both for a build to begin.
    pub min_free_mb: u64,
    /// Hours that an app server which nobody needs keeps its machine, where its instance says nothing.
    pub retention_hours: u32,
    /// How long a machine that nobody owns is left alone.
    pub reaper_grace: Duration,
    /// For how long records of what happened are kept.
    pub kept: super::housekeeping::Kept,
    /// The private key that Ansible logs in with.
    pub private_key: PathBuf,
    /// Its public half, one line.
    pub authorized_key: String,
    /// How long repositories may take to say which commit a branch is.
    pub pin_timeout: Duration,
    /// How long checkout and virtualenv may take.
    pub checkout_timeout: Duration,
    /// How long a machine may take until it answers SSH.
    pub machine_timeout: Duration,
    /// How long a restarted machine may take until it answers again.
    pub reboot_timeout: Duration,
    /// How often active app servers are checked.
    pub pace: super::health::Pace,
    /// How long the application may take until its checks pass.
    pub checks_timeout: Duration,
    /// A playbook that prints nothing for so long is ended (ANSIBLE_LINE_TIMEOUT).
    pub line_timeout: Duration,
    /// A playbook that takes longer is ended (ANSIBLE_GLOBAL_TIMEOUT).
    pub global_timeout: Duration,
    /// How many host names all instances that are not archived may have together: what the gateway is sized for.
    pub max_hosts: u32,
    /// How long requests under way may hold up the end of an app server that was replaced.
    pub drain_limit: Duration,
    /// How long between two looks at something that is not ready yet.
    pub poll: Duration,
    /// The keys that secrets are encrypted with in the database.
    pub keyring: Keyring,
}

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
