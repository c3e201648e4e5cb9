//! Checks what the program says about machines, before it is used.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use shared_types::ServerId;
use ssh_key::PublicKey;

use super::answer::{Capacity, Described, State};
use crate::machines::provider::{Endpoint, Machine, MachineOffer, MachineState, MadeFrom};

const MAX_PROVIDER_ID: usize = 255;
const MAX_HOST_KEY: usize = 4096;
const SSH_PORT: u16 = 22;
const HTTP_PORT: u16 = 80;

impl Described {
    /// The machine, if everything said about it can be true and it is of this installation. `shown` makes a text of the
    /// program safe for logs and people.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub(super) fn check(
        self,
        installation: &str,
        shown: &impl Fn(&str) -> String,
    ) -> Result<(ServerId, Machine), String> {
        if self.installation != installation {
            return Err("machine.installation is another installation's: only machines of the requested one may be \
                        answered"
                .to_owned());
        }
        check_provider_id(&self.provider_id)?;
        let endpoint = endpoint(self.address, self.ssh, self.http)?;
        let host_key = self.host_key.as_deref().map(host_key).transpose()?;
        let state = match (self.state, self.message) {
            (State::Failed, Some(words)) => MachineState::Failed(shown(&words)),
            (State::Failed, None) => MachineState::Failed("the provider gives no reason".to_owned()),
            (State::Building, None) => MachineState::Building,
            (State::Active, None) => MachineState::Active,
            (State::Building | State::Active, Some(_)) => {
                return Err("machine.message is set; only a failed machine has one".to_owned());
            }
        };
        let made_from = MadeFrom { image: self.image.as_deref().map(shown), flavor: self.flavor.as_deref().map(shown) };
        Ok((self.server_id, Machine { provider_id: self.provider_id, state, endpoint, host_key, made_from }))
    }
}

/// All machines of a list, or none: a list of which a part is wrong is not believed.
///
/// # Errors
/// The entry and the field that is wrong, or the id that is there twice.
pub(super) fn check_list(
    list: Vec<Described>,
    installation: &str,
    shown: &impl Fn(&str) -> String,
) -> Result<Vec<(ServerId, Machine)>, String> {
    let mut found = BTreeMap::new();
    let mut provider_ids = BTreeSet::new();
    for (index, described) in list.into_iter().enumerate() {
        let checked = described.check(installation, shown);
        let (server_id, machine) = checked.map_err(|what| format!("entry {index} of machines: {what}"))?;
        let provider_id = machine.provider_id.clone();
        if let Some(other) = found.insert(server_id, machine) {
            let first = other.provider_id;
            return Err(format!("server {server_id} is listed twice, as {first} and as {provider_id}"));
        }
        if !provider_ids.insert(provider_id.clone()) {
            return Err(format!("the provider_id {provider_id} is listed for two servers, one of them {server_id}"));
        }
    }
    Ok(found.into_iter().collect())
}

impl Capacity {
    /// The offer, if a machine can be of this size.
    ///
    /// # Errors
    /// The field that is wrong.
    pub(super) fn check(self) -> Result<MachineOffer, String> {
        let Self { has_own_kernel, memory_mb, disk_gb } = self;
        for (name, value) in [("memory_mb", memory_mb), ("disk_gb", disk_gb)] {
            if value == Some(0) {
                return Err(format!("offers.{name} is 0; it must be a positive number, or null if it is not limited"));
            }
        }
        Ok(MachineOffer { has_own_kernel, memory_mb, disk_gb })
    }
}

fn check_provider_id(id: &str) -> Result<(), String> {
    if id.is_empty() || id.len() > MAX_PROVIDER_ID {
        return Err(format!("machine.provider_id has {} bytes; it must have 1 to {MAX_PROVIDER_ID}", id.len()));
    }
    if id.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("machine.provider_id has characters other than printable ASCII without blanks".to_owned())
    }
}

fn endpoint(
    address: Option<IpAddr>,
    ssh: Option<SocketAddr>,
    http: Option<SocketAddr>,
) -> Result<Option<Endpoint>, String> {
    let Some(public_ip) = address else {
        return match (ssh, http) {
            (None, None) => Ok(None),
            _ => Err("machine.ssh or machine.http is set without machine.address".to_owned()),
        };
    };
    let ssh = ssh.unwrap_or(SocketAddr::new(public_ip, SSH_PORT));
    let http = http.unwrap_or(SocketAddr::new(public_ip, HTTP_PORT));
    for (name, address) in [("address", public_ip), ("ssh", ssh.ip()), ("http", http.ip())] {
        if !is_of_one_host(address) {
            return Err(format!("machine.{name} is {address}, which is no address of a machine"));
        }
    }
    match (ssh.port(), http.port()) {
        (0, _) => Err("machine.ssh has port 0".to_owned()),
        (_, 0) => Err("machine.http has port 0".to_owned()),
        _ => Ok(Some(Endpoint { public_ip, ssh, http })),
    }
}

fn is_of_one_host(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && address != IpAddr::V4(Ipv4Addr::BROADCAST)
}

/// The key without its comment, as a file of known hosts has it.
fn host_key(text: &str) -> Result<String, String> {
    let wrong = || "machine.host_key is no public key of the form `ssh-ed25519 AAAA…`".to_owned();
    if text.len() > MAX_HOST_KEY || text.contains(char::is_control) {
        return Err(wrong());
    }
    let mut key = PublicKey::from_openssh(text).map_err(|_| wrong())?;
    key.set_comment("");
    Ok(key.to_openssh().map_err(|_| wrong())?.trim_end().to_owned())
}
