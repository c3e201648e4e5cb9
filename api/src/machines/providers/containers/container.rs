//! A container: what it is created with, and what the engine says of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared_types::ServerId;

use super::answers::{Inspected, Mapped};
use crate::machines::provider::{Endpoint, MachineSpec};
use crate::machines::providers::local::MachineLimits;

/// Label of our installation's id.
pub(super) const INSTALLATION_LABEL: &str = "ocim.installation";
/// Label of our server id.
pub(super) const SERVER_LABEL: &str = "ocim.server";
/// Label of the address that the container has at every start.
pub(super) const ADDRESS_LABEL: &str = "ocim.address";

/// The login user in the base tree.
pub(super) const SSH_USER: &str = "ubuntu";
const SSH_PORT: u16 = 22;
const HTTP_PORT: u16 = 80;

/// The first process.
const INIT: &str = include_str!("init.sh");
/// Its exit status if the image cannot be used.
pub(super) const UNUSABLE_IMAGE: i64 = 78;

/// What root in a container may do: what sshd, sudo and apt need, without making devices, raw packets, mounts or tracing.
const CAPABILITIES: [&str; 12] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "SYS_CHROOT",
    "AUDIT_WRITE",
    "SETFCAP",
];

/// Seconds for the services to stop before the engine ends them.
pub(super) const STOP_SECONDS: u32 = 10;

/// How this host reaches a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// By its own address in a network of the engine.
    Address {
        /// The network's name.
        network: String,
        /// The address that it keeps.
        address: Ipv4Addr,
    },
    /// By ports of 127.0.0.1, which the engine chooses once.
    Ports,
}

/// Limits of processes and open files of a container, beside those of control groups. Engines refuse more than they have
/// themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ceilings {
    pub(super) open_files: u64,
    pub(super) processes: u64,
}

impl Ceilings {
    /// What every engine grants.
    pub(super) const LOWEST: Self = Self { open_files: 1024, processes: 1000 };

    /// What an engine with this process's own limits grants.
    pub(super) fn usual() -> Self {
        use rustix::process::{Resource, getrlimit};
        let own = |resource, most: u64| getrlimit(resource).maximum.unwrap_or(most).min(most);
        // Podman does not give more processes than this.
        Self { open_files: own(Resource::Nofile, 65_536), processes: own(Resource::Nproc, 32_768) }
    }
}

/// A container to create.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) installation: &'a str,
    pub(super) spec: &'a MachineSpec,
    pub(super) image: &'a str,
    pub(super) place: Place,
    pub(super) limits: &'a MachineLimits,
    pub(super) ceilings: Ceilings,
}

/// The name of a container. The hash stands for the installation, whose id may have characters that names cannot have.
pub(super) fn name(installation: &str, server_id: ServerId) -> String {
    let hash = hex::encode(Sha256::digest(installation));
    format!("ocim-{}-{server_id}", hash.get(..12).unwrap_or(&hash))
}

impl Plan<'_> {
    /// The body of the create call. All that makes the container ours is in it, so that one whose answer is lost is found.
    #[expect(clippy::indexing_slicing, reason = "a key of a JSON object is set")]
    pub(super) fn body(&self) -> Value {
        let spec = self.spec;
        let mut labels = BTreeMap::from([
            (INSTALLATION_LABEL, self.installation.to_owned()),
            (SERVER_LABEL, spec.server_id.to_string()),
        ]);
        let limits = self.limits.of_group();
        let ceilings = [("nofile", self.ceilings.open_files), ("nproc", self.ceilings.processes)];
        let mut host = json!({
            "CapDrop": ["ALL"],
            "CapAdd": CAPABILITIES,
            "Memory": limits.memory_bytes.unwrap_or(0),
            "PidsLimit": self.limits.processes,
            "BlkioWeight": self.limits.io_weight,
            "Tmpfs": { "/run": "rw,nosuid,nodev,mode=755,size=64m" },
            "Ulimits": ceilings.map(|(name, most)| json!({ "Name": name, "Soft": most, "Hard": most })),
        });
        // No more than the memory, for engines that count swap beside it.
        host["MemorySwap"] = host["Memory"].clone();
        if let Some(percent) = self.limits.cpu_percent {
            host["NanoCpus"] = json!(u64::from(percent) * 10_000_000);
        }
        let mut endpoints = json!({});
        match &self.place {
            Place::Address { network, address } => {
                labels.insert(ADDRESS_LABEL, address.to_string());
                host["NetworkMode"] = json!(network);
                endpoints[network] =
                    json!({ "IPAMConfig": { "IPv4Address": address }, "MacAddress": hardware_address(*address) });
            }
            Place::Ports => {
                let here = json!([{ "HostIp": "127.0.0.1", "HostPort": "" }]);
                host["PortBindings"] = json!({ port(SSH_PORT): here, port(HTTP_PORT): here });
            }
        }
        json!({
            "Image": self.image,
            "Hostname": spec.name,
            "User": "0",
            "WorkingDir": "/",
            "Entrypoint": ["/bin/sh", "-c", INIT],
            "Cmd": [],
            "Env": [format!("OCIM_AUTHORIZED_KEY={}", spec.authorized_key), format!("OCIM_USER={SSH_USER}")],
            "Labels": labels,
            "ExposedPorts": { port(SSH_PORT): {}, port(HTTP_PORT): {} },
            "StopSignal": "SIGTERM",
            "StopTimeout": STOP_SECONDS,
            "HostConfig": host,
            "NetworkingConfig": { "EndpointsConfig": endpoints },
        })
    }
}

/// One that goes with the address, as Docker's: this host remembers for half a minute which hardware has an address, and
/// would not reach a container that has another one after its restart.
fn hardware_address(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

fn port(number: u16) -> String {
    format!("{number}/tcp")
}

/// Our id of a container with these labels; none: it belongs to others, and must not be touched. Labels are compared here,
/// because an engine may ignore a filter.
pub(super) fn server_id(labels: Option<&BTreeMap<String, String>>, installation: &str) -> Option<ServerId> {
    let labels = labels?;
    labels.get(INSTALLATION_LABEL).filter(|own| *own == installation)?;
    labels.get(SERVER_LABEL)?.parse::<i64>().ok().and_then(|id| ServerId::try_from(id).ok())
}

impl Inspected {
    pub(super) fn labels(&self) -> Option<&BTreeMap<String, String>> {
        self.config.as_ref()?.labels.as_ref()
    }

    pub(super) fn is_running(&self) -> bool {
        self.state.status == "running"
    }

    /// Whether it has ended within this time. Podman cleans up then, in a process of its own, and a container that is started
    /// meanwhile may lose its ports to that.
    pub(super) fn has_ended_within(&self, time: Duration) -> bool {
        let ended = self.state.finished_at.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let age = ended.map(|ended| Utc::now().signed_duration_since(ended));
        !self.is_running() && age.is_some_and(|age| age.to_std().is_ok_and(|age| age < time))
    }

    /// Its addresses; none while it does not run.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        if !self.is_running() {
            return None;
        }
        match (self.mapped(SSH_PORT), self.mapped(HTTP_PORT)) {
            (Some(ssh), Some(http)) => Some(Endpoint { public_ip: ssh.ip(), ssh, http }),
            _ => self.address().map(|address| Endpoint {
                public_ip: address,
                ssh: SocketAddr::new(address, SSH_PORT),
                http: SocketAddr::new(address, HTTP_PORT),
            }),
        }
    }

    /// The port of this host that leads to a port of it.
    fn mapped(&self, number: u16) -> Option<SocketAddr> {
        let ports = self.network_settings.as_ref()?.ports.as_ref()?;
        let bindings = ports.get(&port(number))?.as_ref()?;
        let host_port = bindings.iter().find_map(|Mapped { host_port }| host_port.as_deref()?.parse().ok())?;
        Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), host_port))
    }

    fn address(&self) -> Option<IpAddr> {
        let networks = self.network_settings.as_ref()?.networks.as_ref()?;
        networks.values().flatten().find_map(|attached| attached.address.as_deref()?.parse().ok())
    }
}
