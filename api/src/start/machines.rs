//! The providers of machines, as the settings say.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::report::{say, step};
use super::{StartError, containers, openstack, way_out};
use crate::config::Settings;
use crate::config::providers::{KindSettings, ProviderSettings};
use crate::config::sections::{CommandMachines, LocalMachines};
use crate::machines;
use crate::machines::provider::Provider;
use crate::machines::providers::command::{CommandConfig, CommandProvider};
use crate::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits, Subnet};
use crate::machines::providers::openstack::{OpenStack, Selected};
use crate::machines::registry::{Named, Providers};
use crate::platform::db::Db;

/// The providers whose machines can be logged in to, and the local one among them.
#[derive(Debug)]
pub(super) struct Opened {
    pub providers: Providers,
    pub local: Option<Arc<LocalProvider>>,
}

/// Opens the providers that the settings name.
pub(super) async fn open(
    settings: &Settings,
    all: Vec<ProviderSettings>,
    data_dir: &Path,
    db: &Db,
) -> Result<Opened, StartError> {
    let installation = db.installation().await?;
    let (mut opened, mut local) = (Vec::new(), None);
    for ProviderSettings { name, budget, kind } in all {
        let provider: Arc<dyn Provider> = match &kind {
            KindSettings::Local(own) => {
                let config = local_config(settings, own, data_dir, &installation)?;
                let machines = step("Local machines", local_machines(config, db, &name)).await?;
                local = Some(machines.clone());
                machines
            }
            KindSettings::Containers(own, machines) => {
                containers::start((settings, own, machines), data_dir, &installation).await?
            }
            KindSettings::OpenStack(own) => {
                if let Some(words) = openstack::unused(own) {
                    say(format_args!("▸ OpenStack ({name}): {words}"));
                }
                cloud(openstack::config(own, installation.clone())?, name.as_str()).await?
            }
            KindSettings::Command(own) => {
                let config = command_config(own, &installation)?;
                let title = format!("Machines of the provider program ({name})");
                Arc::new(step(&title, CommandProvider::open(config)).await?)
            }
            KindSettings::Fake(_) => return Err("a provider of the kind `fake` cannot be used beside others".into()),
        };
        opened.push(Named { name, provider, budget });
    }
    let mut opened = opened.into_iter();
    let default = opened.next().ok_or("the settings name no provider")?;
    Ok(Opened { providers: Providers::new(default, opened), local })
}

/// Opens the cloud, and says what the settings select there. A cloud that does not answer, or does not have it, prevents no
/// start: sites are served, and a build says what is wrong.
async fn cloud(
    config: machines::providers::openstack::OpenStackConfig,
    name: &str,
) -> Result<Arc<OpenStack>, StartError> {
    let provider = Arc::new(OpenStack::open(config)?);
    match provider.check().await {
        Ok(Selected { flavor, image, network }) => {
            let (flavor, image, network) = (flavor.name, image.name, network.name);
            say(format_args!("▸ OpenStack ({name}): flavor {flavor}, image {image}, network {network}"));
        }
        Err(error) => {
            tracing::error!(provider = name, %error, "OpenStack cannot be used now, so no build finds a machine");
            say(format_args!("▸ OpenStack ({name}) cannot be used now: {error}"));
        }
    }
    Ok(provider)
}

/// Opens the local machines of this database and boots those that were running.
async fn local_machines(
    config: LocalConfig,
    db: &Db,
    name: &shared_types::ProviderName,
) -> Result<Arc<LocalProvider>, StartError> {
    let provider = Arc::new(LocalProvider::open(config).await?);
    // Otherwise a build that another host continues would not find its machine there, and create a second one.
    if !db.claim_local_site(provider.site()).await? {
        return Err(
            "the local machines of this database are in another data directory; a worker must use that one, on the \
                    same host (OCIM_DATA_DIR). Where that directory is gone for good: UPDATE installation SET local_site = NULL"
                .into(),
        );
    }
    provider.claim(&machines::store::names(&mut *db.conn().await?, name).await?)?;
    for (id, error) in provider.boot_all().await? {
        say(format_args!("  machine {id} did not boot: {error}"));
    }
    Ok(provider)
}

/// What the settings say of local machines.
pub(super) fn local_config(
    settings: &Settings,
    own: &LocalMachines,
    data_dir: &Path,
    installation: &str,
) -> Result<LocalConfig, StartError> {
    let subnet = own.ocim_local_subnet.as_ref().map(|text| text.parse::<Subnet>()).transpose();
    let subnet = subnet.map_err(|error| format!("OCIM_LOCAL_SUBNET: {error}"))?;
    Ok(LocalConfig {
        data_dir: data_dir.to_owned(),
        cache_dir: settings.cache_dir(),
        subnet,
        installation: installation.to_owned(),
        limits: MachineLimits {
            memory_mb: own.ocim_machine_memory_mb,
            cpu_percent: own.ocim_machine_cpu_percent,
            processes: own.ocim_machine_processes,
            io_weight: own.ocim_machine_io_weight,
            disk_mb: own.ocim_machine_disk_mb,
        },
        base_tree_days: own.ocim_base_tree_days,
        base: own.ocim_local_base.clone(),
        outbound: way_out::outbound(settings, own)?,
    })
}

/// What the settings say of the provider program.
pub(super) fn command_config(own: &CommandMachines, installation: &str) -> Result<CommandConfig, StartError> {
    let Some(program) = own.ocim_command_provider.clone() else {
        return Err(
            "a provider of the kind `command` needs a program: set OCIM_COMMAND_PROVIDER to its absolute path \
                    (docs/provider-contract.md)"
                .into(),
        );
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
