//! The external systems of the program, as the settings say: machines, their probe, git and Ansible.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shared_types::ProviderName;
use tokio_util::sync::CancellationToken;

use super::assembly::Parts;
use super::machines::{self, Opened};
use super::options::{mailer, options, sources};
use super::report::say;
use super::{StartError, backups, cache, repositories, resources, sandbox};
use crate::ansible::fake_printer::FakePrinter;
use crate::ansible::port::Ansible;
use crate::ansible::real::AnsibleCore;
use crate::applications::{self, Repositories, openedx};
use crate::config::Settings;
use crate::config::dns::NameSettings;
use crate::config::providers::{KindSettings, ProviderSettings};
use crate::config::sections::FakeMachines;
use crate::dns::Names;
use crate::git::fake::FakeGit;
use crate::git::port::Git;
use crate::git::real::GitCli;
use crate::git::source_credentials::StoredCredentials;
use crate::instances::Ports;
use crate::machines::probe::{Probe, SshProbe};
use crate::machines::providers::fake::FakeProvider;
use crate::machines::providers::fake_files::FileMachines;
use crate::machines::providers::local::LocalProvider;
use crate::machines::registry::{Named, Providers};
use crate::platform::db::Db;
use crate::platform::sandbox::Sandbox;
use crate::platform::vault::Keyring;
use crate::routing::traffic::Traffic;

/// The adapters to external systems.
#[derive(Debug)]
pub(super) struct Outside {
    /// Create and delete machines.
    pub providers: Providers,
    /// Checks from outside that machines answer SSH, and reads their boot markers.
    pub probe: Arc<dyn Probe>,
    /// Resolves and checks out git repositories.
    pub git: Arc<dyn Git>,
    /// Runs Ansible playbooks on machines.
    pub ansible: Arc<dyn Ansible>,
    /// The walls around foreign code; none: nothing runs any.
    pub sandbox: Option<Arc<Sandbox>>,
    /// The local machines, if they are used.
    pub local: Option<Arc<LocalProvider>>,
    /// The locations of the repositories that this program embeds.
    pub repositories: Repositories,
}

/// Opens the external systems that the settings name. `plays`: this process serves the fake machines' sites until the
/// token is cancelled; none: another process serves them.
pub(super) async fn open(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    keyring: &Keyring,
    plays: Option<&CancellationToken>,
) -> Result<Outside, StartError> {
    let all = settings.providers()?;
    // It is the only one then.
    if let Some(ProviderSettings { name, budget, kind: KindSettings::Fake(own) }) = all.first() {
        return fake(own, (name.clone(), *budget), data_dir, plays).await;
    }
    real(settings, data_dir, db, keyring, machines::open(settings, all, data_dir, db).await?).await
}

/// The systems without machines: for a look at the others, which boots nothing. The provider in their place has none.
pub(super) fn without_machines(settings: &Settings, data_dir: &Path) -> Result<Outside, StartError> {
    let all = settings.providers()?;
    let default = all.first().ok_or("the settings name no provider")?;
    let is_fake = matches!(default.kind, KindSettings::Fake(_));
    let sandbox = if is_fake { None } else { Some(sandbox::open(settings)?) };
    let provider = Arc::new(FakeProvider::new(Vec::new()));
    Ok(Outside {
        providers: Providers::new(Named { name: default.name.clone(), provider: provider.clone(), budget: None }, []),
        probe: provider,
        ansible: Arc::new(FakePrinter { dir: data_dir.join("none"), lines: 0, pace: Duration::ZERO }),
        git: Arc::new(FakeGit::default()),
        sandbox,
        local: None,
        repositories: repositories::at(data_dir),
    })
}

impl Outside {
    /// The parts of the program that use these systems and this gateway.
    pub(super) fn parts(
        &self,
        settings: &Settings,
        data_dir: &Path,
        db: Db,
        traffic: Arc<dyn Traffic>,
        keyring: Keyring,
    ) -> Result<Parts, StartError> {
        Ok(Parts {
            db,
            applications: applications::all(settings, &self.repositories)?,
            ports: Ports {
                providers: self.providers.clone(),
                probe: self.probe.clone(),
                traffic,
                git: self.git.clone(),
                ansible: self.ansible.clone(),
                resources: resources::servers(settings)?,
            },
            sandbox: self.sandbox.clone(),
            backups: backups::open(settings)?,
            mailer: mailer(settings)?,
            names: Names::new(NameSettings::new(settings)?)?,
            options: options(settings, data_dir, keyring)?,
            configuration_repository: openedx::configuration_repository(settings, &self.repositories)?,
        })
    }
}

/// The systems around machines that can be logged in to.
async fn real(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    keyring: &Keyring,
    Opened { providers, local }: Opened,
) -> Result<Outside, StartError> {
    let repositories = repositories::ensure(data_dir).await?;
    let sandbox = sandbox::open(settings)?;
    sandbox::report(&sandbox).await;
    let credentials = Arc::new(StoredCredentials { db: db.clone(), keyring: keyring.clone() });
    let (cache_dir, sources) = (settings.cache_dir(), sources(settings, data_dir)?);
    let git = Arc::new(GitCli { cache_dir, sources, credentials, sandbox: sandbox.clone() });
    Ok(Outside {
        providers,
        probe: Arc::new(SshProbe),
        ansible: Arc::new(AnsibleCore::new(cache::ansible_config(settings, sandbox.clone()), git.clone())),
        git,
        sandbox: Some(sandbox),
        local,
        repositories,
    })
}

/// The fake provider, without repositories: no logins, no checkouts.
async fn fake(
    own: &FakeMachines,
    (name, budget): (ProviderName, Option<u32>),
    data_dir: &Path,
    plays: Option<&CancellationToken>,
) -> Result<Outside, StartError> {
    let machines = Arc::new(FileMachines::open(data_dir.join("fake-machines"), own.ocim_fake_http)?);
    if let Some(stop) = plays {
        machines.serve(stop.clone()).await?;
    }
    say("▸ Machines are files, and playbooks only print (OCIM_PROVIDER=fake)");
    let pace = Duration::from_millis(own.ocim_fake_pace_ms);
    let printer = FakePrinter { dir: data_dir.join("fake-printed"), lines: own.ocim_fake_lines, pace };
    Ok(Outside {
        providers: Providers::new(Named { name, provider: machines.clone(), budget }, []),
        probe: machines,
        git: Arc::new(FakeGit::default()),
        sandbox: None,
        ansible: Arc::new(printer),
        local: None,
        repositories: repositories::at(data_dir),
    })
}
