//! What an engine answers, as far as it is used here. Docker and Podman differ in what they leave out, and write null for
//! empty lists and maps: every field may be missing.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

/// The answer of `/version`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Version {
    pub(super) api_version: String,
    #[serde(default, rename = "MinAPIVersion")]
    pub(super) min_api_version: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
    #[serde(default)]
    components: Option<Vec<Component>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    #[serde(default)]
    name: Option<String>,
}

impl Version {
    /// Its name and version, such as `Podman Engine 4.3.1`.
    pub(super) fn name(&self) -> String {
        let name = self.components.iter().flatten().find_map(|component| component.name.as_deref());
        format!("{} {}", name.unwrap_or("engine"), self.version.as_deref().unwrap_or("of an unknown version"))
    }
}

/// The answer of `/info`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Info {
    pub(super) security_options: Option<Vec<String>>,
    rootless: Option<bool>,
    cgroup_version: Option<String>,
    memory_limit: Option<bool>,
    pids_limit: Option<bool>,
    cpu_cfs_quota: Option<bool>,
    /// The storage driver.
    pub(super) driver: Option<String>,
}

impl Info {
    /// Whether the engine runs as an ordinary user.
    pub(super) fn is_rootless(&self) -> bool {
        let says_so = self.security_options.iter().flatten().any(|option| option.contains("rootless"));
        says_so || self.rootless == Some(true)
    }

    /// Whether calls of the system are filtered.
    pub(super) fn has_seccomp(&self) -> bool {
        self.security_options
            .iter()
            .flatten()
            .any(|option| option.contains("seccomp") && !option.contains("unconfined"))
    }

    /// Podman says that it can limit memory also where it cannot: as an ordinary user on control groups of version 1.
    fn has_groups(&self) -> bool {
        !self.is_rootless() || self.cgroup_version.as_deref() == Some("2")
    }

    pub(super) fn limits_memory(&self) -> bool {
        self.has_groups() && self.memory_limit == Some(true)
    }

    pub(super) fn limits_processes(&self) -> bool {
        self.has_groups() && self.pids_limit == Some(true)
    }

    pub(super) fn limits_cpu(&self) -> bool {
        self.has_groups() && self.cpu_cfs_quota == Some(true)
    }
}

/// An entry of a list of containers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
    /// Seconds since 1970.
    #[serde(default)]
    pub(super) created: i64,
}

/// A container.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Inspected {
    pub(super) id: String,
    pub(super) state: State,
    #[serde(default)]
    pub(super) config: Option<Config>,
    #[serde(default)]
    pub(super) network_settings: Option<NetworkSettings>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct State {
    pub(super) status: String,
    #[serde(default)]
    pub(super) exit_code: i64,
    /// When it ended last, by the clock of this host.
    #[serde(default)]
    pub(super) finished_at: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    pub(super) labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct NetworkSettings {
    /// By port and protocol, such as `22/tcp`.
    pub(super) ports: Option<BTreeMap<String, Option<Vec<Mapped>>>>,
    /// By the network's name.
    pub(super) networks: Option<BTreeMap<String, Option<Attached>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Mapped {
    pub(super) host_port: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Attached {
    #[serde(rename = "IPAddress")]
    pub(super) address: Option<String>,
}

/// The answer to a create.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Created {
    pub(super) id: String,
}

/// A network.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Network {
    #[serde(default, rename = "IPAM")]
    pub(super) ipam: Option<Ipam>,
    #[serde(default, rename = "Containers")]
    pub(super) containers: Option<BTreeMap<String, Member>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ipam {
    #[serde(default, rename = "Config")]
    pub(super) config: Option<Vec<Range>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Range {
    #[serde(default)]
    pub(super) subnet: Option<String>,
    #[serde(default)]
    pub(super) gateway: Option<String>,
}

/// A container in a network.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Member {
    #[serde(default, rename = "IPv4Address")]
    address: Option<String>,
}

impl Member {
    /// Its address, which engines give with the prefix length.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        self.address.as_deref()?.split('/').next()?.parse().ok()
    }
}
