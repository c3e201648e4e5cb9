//! The network of containers that are reached by address, and which address is free. Engines give a container another one
//! at each start, so ocim chooses it, and it is in a label: a container that is stopped keeps it, too.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::ServerId;

use super::answers::{Listed, Network};
use super::container::{ADDRESS_LABEL, Place};
use super::engine::{Ask, Engine};
use super::error::ContainersError;

/// Label of a network that ocim has made.
const NETWORK_LABEL: &str = "ocim.network";

/// The network as the settings want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Its name in the engine; it is made where it is missing.
    pub name: String,
    /// Its addresses, if it is made; none: the engine chooses.
    pub subnet: Option<Ipv4Net>,
}

/// A free address in the network, which is made first where it is missing. Hold a lock from here until the container is
/// created. `attempt`: counts how often the engine has refused one for this server, as it may keep the address of a
/// container that is gone.
///
/// # Errors
/// [`ContainersError::Full`], [`ContainersError::Settings`] if the network is of another kind, or the engine's error.
pub(super) async fn free_place(
    engine: &Engine,
    settings: &NetworkSettings,
    server_id: ServerId,
    attempt: u32,
) -> Result<Place, ContainersError> {
    let name = &settings.name;
    let network = ensure(engine, settings).await?;
    let (subnet, gateway) = range(&network, settings)?;
    let filters = json!({ "label": [ADDRESS_LABEL] }).to_string();
    let ask = Ask::new(Method::GET, "List the containers with addresses", ["containers", "json"]);
    let listed: Vec<Listed> = engine.read(ask.query("all", "true").query("filters", filters)).await?;
    let reserved = listed.iter().filter_map(|one| one.labels.as_ref()?.get(ADDRESS_LABEL)?.parse().ok());
    let attached = network.containers.iter().flatten().filter_map(|(_, member)| member.address());
    let taken: BTreeSet<Ipv4Addr> = reserved.chain(attached).chain(gateway).collect();
    let first = server_id.0.wrapping_add(i64::from(attempt));
    let address = pick(subnet, &taken, first).ok_or_else(|| {
        let containers = taken.iter().filter(|address| subnet.contains(*address)).count();
        ContainersError::Full(format!(
            "the network {name} ({subnet}) of the containers is full: {containers} addresses are taken. Terminate some machines, or set \
             OCIM_CONTAINERS_NETWORK to another name and OCIM_CONTAINERS_SUBNET to more addresses"
        ))
    })?;
    Ok(Place::Address { network: name.clone(), address })
}

#[expect(clippy::indexing_slicing, reason = "a key of a JSON object is set")]
async fn ensure(engine: &Engine, settings: &NetworkSettings) -> Result<Network, ContainersError> {
    let name = settings.name.as_str();
    match find(engine, name).await {
        Err(error) if error.is_missing() => {}
        found => return found,
    }
    let mut body =
        json!({ "Name": name, "Driver": "bridge", "CheckDuplicate": true, "Labels": { NETWORK_LABEL: "1" } });
    if let Some(subnet) = settings.subnet {
        body["IPAM"] = json!({ "Config": [{ "Subnet": subnet.to_string() }] });
    }
    let what = format!("Create network {name}");
    let made = engine.change::<Value>(Ask::new(Method::POST, &what, ["networks", "create"]).json(body)).await;
    // Another process may have been faster.
    match (find(engine, name).await, made) {
        (Err(_), Err(error)) => Err(error),
        (found, _) => found,
    }
}

async fn find(engine: &Engine, name: &str) -> Result<Network, ContainersError> {
    let what = format!("Look for network {name}");
    engine.read(Ask::new(Method::GET, &what, ["networks", name])).await
}

/// The network's addresses, and its gateway's.
fn range(network: &Network, settings: &NetworkSettings) -> Result<(Ipv4Net, Option<Ipv4Addr>), ContainersError> {
    let name = &settings.name;
    let ranges = network.ipam.iter().filter_map(|ipam| ipam.config.as_ref()).flatten();
    let found = ranges.filter_map(|range| {
        let subnet: Ipv4Net = range.subnet.as_deref()?.parse().ok()?;
        Some((subnet.trunc(), range.gateway.as_deref().and_then(|gateway| gateway.parse().ok())))
    });
    let (subnet, gateway) = found.into_iter().next().ok_or_else(|| {
        ContainersError::Settings(format!(
            "the engine's network {name} has no IPv4 addresses: set OCIM_CONTAINERS_NETWORK to another name"
        ))
    })?;
    match settings.subnet {
        Some(wanted) if wanted.trunc() != subnet => Err(ContainersError::Settings(format!(
            "OCIM_CONTAINERS_SUBNET is {wanted}, but the engine's network {name} exists with {subnet}: set \
             OCIM_CONTAINERS_NETWORK to a new name, or remove the network"
        ))),
        _ => Ok((subnet, gateway)),
    }
}

/// The first free address from this number on, which depends on the server, so that processes that choose at the same time
/// choose differently.
fn pick(subnet: Ipv4Net, taken: &BTreeSet<Ipv4Addr>, number: i64) -> Option<Ipv4Addr> {
    // The network's own address is the first, broadcast the last; engines take the second as the gateway.
    let first = u32::from(subnet.network()) + 2;
    let last = u32::from(subnet.broadcast()).checked_sub(1)?;
    let count = (last + 1).checked_sub(first).filter(|count| *count > 0)?;
    let start = u32::try_from(number.rem_euclid(i64::from(count))).ok()?;
    (0..count).map(|step| Ipv4Addr::from(first + (start + step) % count)).find(|address| !taken.contains(address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_address_is_given_once_and_none_that_is_the_networks() {
        let subnet: Ipv4Net = "10.89.0.0/29".parse().unwrap();
        let mut taken = BTreeSet::new();
        for id in [7, 7, 1, 5, 9] {
            let address = pick(subnet, &taken, id).unwrap();
            assert!(taken.insert(address), "{address} twice");
        }
        let given: Vec<String> = taken.iter().map(ToString::to_string).collect();
        assert_eq!(given, ["10.89.0.2", "10.89.0.3", "10.89.0.4", "10.89.0.5", "10.89.0.6"]);
        assert_eq!(pick(subnet, &taken, 1), None);
        assert_eq!(pick("10.89.0.0/31".parse().unwrap(), &BTreeSet::new(), 1), None);
        assert_eq!(pick("10.89.0.0/32".parse().unwrap(), &BTreeSet::new(), 1), None);
    }
}
