//! The external systems of the program, as the settings say: machines, their probe, git and Ansible.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::assembly::Parts;
use super::options::{mailer, options, sources};
use super::report::{say, step};
use super::{StartError, cache, containers, openstack, repositories, sandbox};
use crate::ansible::fake_printer::FakePrinter;
use crate::ansible::port::Ansible;
use crate::ansible::real::AnsibleCore;
use crate::applications::{self, Repositories, openedx};
use crate::config::{ProviderKind, Settings};
use crate::git::fake::FakeGit;
use crate::git::port::Git;
use crate::git::real::GitCli;
use crate::git::source_credentials::StoredCredentials;
use crate::instances::Ports;
use crate::machines;
use crate::machines::probe::{Probe, SshProbe};
use crate::machines::provider::Provider;
use crate::machines::providers::command::{CommandConfig, CommandProvider};
use crate::machines::providers::fake_files::FileMachines;
use crate::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits, Subnet};
use crate::machines::providers::openstack::{OpenStack, Selected};
use crate::platform::db::Db;
use crate::platform::sandbox::Sandbox;
use crate::platform::vault::Keyring;
use crate::routing::traffic::Traffic;

/// The adapters to external systems.
#[derive(Debug)]
pub(super) struct Outside {
    /// Creates and deletes machines.
    pub provider: Arc<dyn Provider>,
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
    match containers::provider_kind(settings, data_dir).await? {
        ProviderKind::Local => local(settings, data_dir, db, keyring).await,
        ProviderKind::OpenStack => real(settings, data_dir, db, keyring, cloud(settings, db).await?, None).await,
        ProviderKind::Command => command(settings, data_dir, db, keyring).await,
        ProviderKind::Containers => {
            let provider = containers::start(settings, data_dir, db).await?;
            real(settings, data_dir, db, keyring, provider, None).await
        }
        ProviderKind::Fake => fake(settings, data_dir, plays).await,
    }
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
                provider: self.provider.clone(),
                probe: self.probe.clone(),
                traffic,
                git: self.git.clone(),
                ansible: self.ansible.clone(),
            },
            sandbox: self.sandbox.clone(),
            mailer: mailer(settings)?,
            options: options(settings, data_dir, keyring)?,
            configuration_repository: openedx::configuration_repository(settings, &self.repositories)?,
        })
    }
}

async fn local(settings: &Settings, data_dir: &Path, db: &Db, keyring: &Keyring) -> Result<Outside, StartError> {
    let machines = step("Local machines", machines(settings, data_dir, db)).await?;
    real(settings, data_dir, db, keyring, machines.clone(), Some(machines)).await
}

/// Opens the cloud, and says what the settings select there. A cloud that does not answer, or does not have it, prevents no
/// start: sites are served, and a build says what is wrong.
async fn cloud(settings: &Settings, db: &Db) -> Result<Arc<OpenStack>, StartError> {
    let config = openstack::config(settings, db.installation().await?)?;
    let provider = Arc::new(OpenStack::open(config)?);
    match provider.check().await {
        Ok(Selected { flavor, image, network }) => {
            let (flavor, image, network) = (flavor.name, image.name, network.name);
            say(format_args!("▸ OpenStack: flavor {flavor}, image {image}, network {network}"));
        }
        Err(error) => {
            tracing::error!(%error, "OpenStack cannot be used now, so no build finds a machine");
            say(format_args!("▸ OpenStack cannot be used now: {error}"));
        }
    }
    Ok(provider)
}

/// Machines of any cloud, through the operator's program.
async fn command(settings: &Settings, data_dir: &Path, db: &Db, keyring: &Keyring) -> Result<Outside, StartError> {
    let config = command_config(settings, &db.installation().await?)?;
    let machines = step("Machines of the provider program", CommandProvider::open(config)).await?;
    real(settings, data_dir, db, keyring, Arc::new(machines), None).await
}

/// The systems around machines that can be logged in to.
async fn real(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    keyring: &Keyring,
    provider: Arc<dyn Provider>,
    local: Option<Arc<LocalProvider>>,
) -> Result<Outside, StartError> {
    let repositories = repositories::ensure(data_dir).await?;
    let sandbox = sandbox::open(settings)?;
    sandbox::report(&sandbox).await;
    let credentials = Arc::new(StoredCredentials { db: db.clone(), keyring: keyring.clone() });
    let (cache_dir, sources) = (settings.cache_dir(), sources(settings, data_dir)?);
    let git = Arc::new(GitCli { cache_dir, sources, credentials, sandbox: sandbox.clone() });
    Ok(Outside {
        provider,
        probe: Arc::new(SshProbe),
        ansible: Arc::new(AnsibleCore::new(cache::ansible_config(settings, sandbox.clone()), git.clone())),
        git,
        sandbox: Some(sandbox),
        local,
        repositories,
    })
}

/// Opens the local machines of this database and boots those that were running.
async fn machines(settings: &Settings, data_dir: &Path, db: &Db) -> Result<Arc<LocalProvider>, StartError> {
    let config = local_config(settings, data_dir, &db.installation().await?)?;
    let provider = Arc::new(LocalProvider::open(config).await?);
    // Otherwise a build that another host continues would not find its machine there, and create a second one.
    if !db.claim_local_site(provider.site()).await? {
        return Err(
            "the local machines of this database are in another data directory; a worker must use that one, on the \
                    same host (OCIM_DATA_DIR). Where that directory is gone for good: UPDATE installation SET local_site = NULL"
                .into(),
        );
    }
    provider.claim(&machines::store::names(&mut *db.conn().await?, provider.kind()).await?)?;
    for (id, error) in provider.boot_all().await? {
        say(format_args!("  machine {id} did not boot: {error}"));
    }
    Ok(provider)
}

/// What the settings say of local machines.
pub(super) fn local_config(
    settings: &Settings,
    data_dir: &Path,
    installation: &str,
) -> Result<LocalConfig, StartError> {
    let subnet = settings.machines.ocim_local_subnet.as_ref().map(|text| text.parse::<Subnet>()).transpose();
    let subnet = subnet.map_err(|error| format!("OCIM_LOCAL_SUBNET: {error}"))?;
    Ok(LocalConfig {
        data_dir: data_dir.to_owned(),
        cache_dir: settings.cache_dir(),
        subnet,
        installation: installation.to_owned(),
        limits: MachineLimits {
            memory_mb: settings.machines.ocim_machine_memory_mb,
            cpu_percent: settings.machines.ocim_machine_cpu_percent,
            processes: settings.machines.ocim_machine_processes,
            io_weight: settings.machines.ocim_machine_io_weight,
            disk_mb: settings.machines.ocim_machine_disk_mb,
        },
        base_tree_days: settings.machines.ocim_base_tree_days,
    })
}

/// What the settings say of the provider program.
pub(super) fn command_config(settings: &Settings, installation: &str) -> Result<CommandConfig, StartError> {
    let own = &settings.machines;
    let Some(program) = own.ocim_command_provider.clone() else {
        return Err("OCIM_PROVIDER=command needs a program: set OCIM_COMMAND_PROVIDER to its absolute path \
                    (docs/provider-contract.md)"
            .into());
    };
    Ok(CommandConfig {
        program,
        arguments: own.ocim_command_provider_arguments.clone(),
        environment: own.ocim_command_provider_environment.clone(),
        ssh_user: own.ocim_command_provider_ssh_user.clone(),
        installation: installation.to_owned(),
        read_limit: Duration::from_secs(own.ocim_command_provider_read_seconds),
        change_limit: Duration::from_secs(own.ocim_command_provider_change_seconds),
        at_once: own.ocim_command_provider_at_once,
    })
}

/// The fake provider, without repositories: no logins, no checkouts.
async fn fake(settings: &Settings, data_dir: &Path, plays: Option<&CancellationToken>) -> Result<Outside, StartError> {
    let machines = Arc::new(FileMachines::open(data_dir.join("fake-machines"), settings.machines.ocim_fake_http)?);
    if let Some(stop) = plays {
        machines.serve(stop.clone()).await?;
    }
    say("▸ Machines are files, and playbooks only print (OCIM_PROVIDER=fake)");
    let pace = Duration::from_millis(settings.machines.ocim_fake_pace_ms);
    let printer = FakePrinter { dir: data_dir.join("fake-printed"), lines: settings.machines.ocim_fake_lines, pace };
    Ok(Outside {
        provider: machines.clone(),
        probe: machines,
        git: Arc::new(FakeGit::default()),
        sandbox: None,
        ansible: Arc::new(printer),
        local: None,
        repositories: repositories::at(data_dir),
    })
}
