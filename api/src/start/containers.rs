//! Machines that are containers, from the settings.

use std::path::Path;
use std::sync::Arc;

use super::StartError;
use super::report::{say, step};
use crate::config::sections::{Containers, LocalMachines};
use crate::config::{ContainersReach, Settings};
use crate::machines::providers::containers::{
    ContainersConfig, ContainersError, ContainersProvider, NetworkSettings, Reach, Selected,
};
use crate::machines::providers::local::MachineLimits;

/// All settings, those of containers, and those of local machines, whose limits hold for containers too.
pub(super) type Set<'a> = (&'a Settings, &'a Containers, &'a LocalMachines);

fn no_machines(error: &ContainersError) -> String {
    format!(
        "no machines can be made: this program is not root, so there are no local machines, and there are no containers: {error} \
         Other ways: run it as root for machines on this host; set OCIM_PROVIDER=openstack for a cloud (docs/openstack.md), \
         OCIM_PROVIDER=command for a program of yours (docs/provider-contract.md), or OCIM_PROVIDER=fake to try the API out"
    )
}

/// Opens the containers of this database. An engine that cannot be had prevents no start: sites are served, and a build says
/// what is wrong.
///
/// # Errors
/// The ways out, if an engine is needed because no provider is set, and cannot be had; a setting that cannot be used.
pub(super) async fn start(
    set: Set<'_>,
    data_dir: &Path,
    installation: &str,
) -> Result<Arc<ContainersProvider>, StartError> {
    let provider = Arc::new(open(set, data_dir, installation)?);
    let is_chosen = set.0.machines.ocim_provider.is_some();
    match provider.check(&|line| say(format_args!("  {line}"))).await {
        Ok(selected) => {
            say_selected(&selected);
            let failures = provider.start_all().await.unwrap_or_else(|error| {
                say(format_args!("  containers cannot be listed: {error}"));
                Vec::new()
            });
            for (id, error) in failures {
                say(format_args!("  the container of machine {id} did not start: {error}"));
            }
        }
        Err(error) if !is_chosen => return Err(no_machines(&error).into()),
        Err(error) => {
            tracing::error!(%error, "containers cannot be used now, so no build finds a machine");
            say(format_args!("▸ Containers cannot be used now: {error}"));
        }
    }
    Ok(provider)
}

/// The provider, when the engine and the image are there.
pub(super) async fn ready(set: Set<'_>, data_dir: &Path, installation: &str) -> Result<ContainersProvider, StartError> {
    let provider = open(set, data_dir, installation)?;
    let told = |line: &str| say(format_args!("  {line}"));
    let selected = step("Image of the containers", provider.check(&told)).await?;
    say_selected(&selected);
    Ok(provider)
}

/// The provider that the settings describe. Asks no engine anything.
fn open(set: Set<'_>, data_dir: &Path, installation: &str) -> Result<ContainersProvider, StartError> {
    Ok(ContainersProvider::open(config(set, data_dir, installation, std::env::var("DOCKER_HOST").ok())?))
}

fn say_selected(selected: &Selected) {
    let Selected { engine, socket, is_rootless, image } = selected;
    let user = if *is_rootless { "as an ordinary user" } else { "as root" };
    say(format_args!("▸ Containers: {engine} {user}, {}, image {image}", socket.display()));
}

/// What the settings say of containers.
fn config(
    (settings, set, machines): Set<'_>,
    data_dir: &Path,
    installation: &str,
    docker_host: Option<String>,
) -> Result<ContainersConfig, String> {
    let socket = set.ocim_containers_socket.clone();
    if socket.as_ref().is_some_and(|socket| socket.is_relative()) {
        return Err("OCIM_CONTAINERS_SOCKET must be the absolute path of a socket".to_owned());
    }
    let subnet = set.ocim_containers_subnet.as_ref().map(|text| text.parse()).transpose();
    let subnet = subnet
        .map_err(|_| "OCIM_CONTAINERS_SUBNET must be an IPv4 network such as 10.214.0.0/24; correct or unset it")?;
    let name = set.ocim_containers_network.clone();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if !is_name {
        return Err("OCIM_CONTAINERS_NETWORK must be letters, digits, `_`, `.` and `-`".to_owned());
    }
    Ok(ContainersConfig {
        socket,
        docker_host,
        data_dir: data_dir.to_owned(),
        cache_dir: settings.cache_dir(),
        network: NetworkSettings { name, subnet },
        reach: match set.ocim_containers_reach {
            ContainersReach::Auto => Reach::Auto,
            ContainersReach::Address => Reach::Address,
            ContainersReach::Ports => Reach::Ports,
        },
        image: set.ocim_containers_image.clone(),
        installation: installation.to_owned(),
        limits: MachineLimits {
            memory_mb: machines.ocim_machine_memory_mb,
            cpu_percent: machines.ocim_machine_cpu_percent,
            processes: machines.ocim_machine_processes,
            io_weight: machines.ocim_machine_io_weight,
            disk_mb: machines.ocim_machine_disk_mb,
        },
        base_tree_days: machines.ocim_base_tree_days,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<ContainersConfig, String> {
        let settings = Settings::of(given.iter().copied(), &[]).unwrap();
        config((&settings, &settings.containers, &settings.local), Path::new("/data"), "i", None)
    }

    #[test]
    fn the_settings_reach_the_provider() {
        let given = [("OCIM_CONTAINERS_REACH", "ports"), ("OCIM_CONTAINERS_SUBNET", "10.9.0.0/25")];
        let config = read(&given).unwrap();
        assert_eq!((config.reach, config.network.name.as_str()), (Reach::Ports, "ocim"));
        assert_eq!(config.network.subnet.unwrap().to_string(), "10.9.0.0/25");
        let limited = read(&[("OCIM_MACHINE_MEMORY_MB", "512")]).unwrap();
        assert_eq!((limited.limits.memory_mb, limited.reach), (Some(512), Reach::Auto));
    }

    #[test]
    fn where_no_machines_can_be_made_the_ways_out_are_said() {
        let words = no_machines(&ContainersError::Settings("There is no engine for containers: x.".to_owned()));
        for way in ["There is no engine for containers: x.", "as root", "openstack", "command", "fake"] {
            assert!(words.contains(way), "{words}");
        }
    }

    #[test]
    fn a_bad_value_is_named() {
        for (name, value) in [
            ("OCIM_CONTAINERS_SOCKET", "podman.sock"),
            ("OCIM_CONTAINERS_SUBNET", "10.9.0.0"),
            ("OCIM_CONTAINERS_NETWORK", "-a"),
            ("OCIM_CONTAINERS_NETWORK", "a b"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
