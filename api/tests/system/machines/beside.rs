//! A second program on the database of a test's, with real machines and SSH.

use std::path::Path;
use std::sync::Arc;

use ocim::ansible::port::Ansible;
use ocim::config::Settings;
use ocim::git::fake::FakeGit;
use ocim::instances::{Manager, Ports};
use ocim::machines::probe::SshProbe;
use ocim::machines::provider::Provider;
use ocim::machines::registry::{Named, Providers};
use ocim::platform::db::Db;
use ocim::resources::registry::Servers;
use ocim::routing::providers::fake::FakeTraffic;
use shared_types::ProviderKind;

use crate::app::{applications, settings};

/// The program with these machines and this Ansible, on the database at `url`; its runs are in `data_dir`.
pub(super) fn beside(
    url: &str,
    data_dir: &Path,
    provider: Arc<dyn Provider>,
    ansible: impl Ansible + 'static,
) -> Arc<Manager> {
    // The machine's row names the provider of the program that launched it.
    let named = Named { name: ProviderKind::Fake.into(), provider, budget: None };
    let ports = Ports {
        providers: Providers::new(named, []),
        probe: Arc::new(SshProbe),
        traffic: Arc::new(FakeTraffic::new()),
        git: Arc::new(FakeGit::default()),
        ansible: Arc::new(ansible),
        resources: Servers::default(),
    };
    let options = ocim::start::options(&Settings::default(), data_dir, settings::keyring()).unwrap();
    Arc::new(Manager::new(Db::open(url).unwrap(), applications(), ports, options))
}
