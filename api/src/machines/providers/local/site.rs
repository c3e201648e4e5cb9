//! A data directory's site on its host: an id for its interfaces and namespaces, and its own subnet.
//!
//! Subnets are reserved in one file of the host, under one lock, for as long as the data directory exists: two managers
//! get different ones even if they start at the same moment or one has just stopped its machines.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::command::run;
use super::error::LocalError;
use super::files::{read_json, write_json};
use super::lock::Lock;
use super::subnet::Subnet;

const HOST_LOCK: &str = "/run/lock/ocim-local-machines.lock";
const RESERVATIONS: &str = "/var/lib/ocim/local-subnets.json";
const SITE_FILE: &str = "site.json";
/// The beginning of the names of all bridges and interfaces of machines.
pub(super) const BRIDGE_PREFIX: &str = "ocim";

/// A data directory's id and subnet, stored in its `machines/site.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Site {
    /// Six random hexadecimal digits.
    pub id: String,
    /// The network that is reserved for the machines.
    pub subnet: Subnet,
}

/// The subnet of a data directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Reservation {
    id: String,
    machines_dir: PathBuf,
}

type Reservations = BTreeMap<Subnet, Reservation>;

impl Site {
    /// The site of a directory of machines, reserved on this host: the existing one, or a new one.
    ///
    /// # Errors
    /// [`LocalError::Invalid`] if the wanted subnet cannot be used, if machines use another one already, or if the
    /// directory is a copy of one that is in use; [`LocalError::Exhausted`] if no subnet is free.
    pub(super) async fn reserve(machines_dir: &Path, wanted: Option<Subnet>) -> Result<Self, LocalError> {
        if let Some(refused) = wanted.filter(|subnet| !subnet.is_usable()) {
            return Err(LocalError::Invalid(format!(
                "local machines cannot live in {refused}: give a private network with a prefix of 16 to 29"
            )));
        }
        make_parent(Path::new(RESERVATIONS))?;
        let _host = host_lock().await?;
        let machines_dir = machines_dir.canonicalize().map_err(LocalError::io(machines_dir))?;
        let mut reservations: Reservations = read_json(Path::new(RESERVATIONS))?.unwrap_or_default();
        reservations.retain(|_, holder| holder.is_alive());
        let known: Option<Self> = read_json(&machines_dir.join(SITE_FILE))?;
        refuse_copy(known.as_ref(), &machines_dir, &reservations)?;
        let own_id = known.as_ref().map_or_else(String::new, |site| site.id.clone());
        reservations.retain(|_, holder| holder.id != own_id);

        let subnet = match (&known, has_machines(&machines_dir)?) {
            (Some(site), true) => keep(site.subnet, wanted)?,
            (Some(site), false) => choose(wanted, Some(site.subnet), &own_id, &reservations).await?,
            (None, _) => choose(wanted, None, &own_id, &reservations).await?,
        };
        let id = match known {
            Some(site) => site.id,
            None => new_id(&reservations)?,
        };
        let site = Self { id: id.clone(), subnet };
        reservations.insert(subnet, Reservation { id, machines_dir: machines_dir.clone() });
        write_json(&machines_dir.join(SITE_FILE), &site)?;
        write_json(Path::new(RESERVATIONS), &reservations)?;
        Ok(site)
    }

    /// Name of the bridge of its machines.
    pub(super) fn bridge(&self) -> String {
        bridge_of(&self.id)
    }
}

impl Reservation {
    /// Whether the directory still exists with this site's id.
    fn is_alive(&self) -> bool {
        matches!(read_json::<Site>(&self.machines_dir.join(SITE_FILE)), Ok(Some(site)) if site.id == self.id)
    }
}

/// What this host's sites have in common is there; only root may write to it.
pub(super) fn host_dir() -> &'static Path {
    let reservations = Path::new(RESERVATIONS);
    reservations.parent().unwrap_or(reservations)
}

/// Held while what the sites of this host have in common is changed. Taken after a site's locks, never before.
pub(super) async fn host_lock() -> Result<Lock, LocalError> {
    make_parent(Path::new(HOST_LOCK))?;
    Lock::take(HOST_LOCK.into()).await
}

/// The directories of machines of all sites of this host that still exist.
pub(super) fn machines_dirs() -> Vec<PathBuf> {
    holders().map(|holder| holder.machines_dir).collect()
}

/// The ids of all sites of this host that still exist.
pub(super) fn ids() -> Vec<String> {
    holders().map(|holder| holder.id).collect()
}

fn holders() -> impl Iterator<Item = Reservation> {
    let reservations: Option<Reservations> = read_json(Path::new(RESERVATIONS)).unwrap_or_default();
    reservations.unwrap_or_default().into_values().filter(Reservation::is_alive)
}

/// Whether an interface is the bridge of a site, or a machine's.
pub(super) fn is_interface(name: &str) -> bool {
    name.starts_with(BRIDGE_PREFIX)
}

fn bridge_of(id: &str) -> String {
    format!("{BRIDGE_PREFIX}{id}")
}

fn make_parent(path: &Path) -> Result<(), LocalError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).map_err(LocalError::io(parent))
}

fn has_machines(machines_dir: &Path) -> Result<bool, LocalError> {
    let entries = fs::read_dir(machines_dir).map_err(LocalError::io(machines_dir))?;
    Ok(entries.flatten().any(|entry| entry.path().is_dir()))
}

/// Refuses a copied data directory: its machines would get the names and addresses of the original's.
fn refuse_copy(known: Option<&Site>, machines_dir: &Path, reservations: &Reservations) -> Result<(), LocalError> {
    let Some(site) = known else { return Ok(()) };
    match reservations.values().find(|holder| holder.id == site.id && holder.machines_dir != machines_dir) {
        None => Ok(()),
        Some(first) => Err(LocalError::Invalid(format!(
            "{} is a copy of {}, which is in use on this host: remove the copy's machines directory",
            machines_dir.display(),
            first.machines_dir.display()
        ))),
    }
}

fn keep(current: Subnet, wanted: Option<Subnet>) -> Result<Subnet, LocalError> {
    match wanted.filter(|wanted| *wanted != current) {
        None => Ok(current),
        Some(wanted) => Err(LocalError::Invalid(format!(
            "the local machines live in {current}: terminate them before moving to {wanted}, or leave the subnet unset"
        ))),
    }
}

async fn choose(
    wanted: Option<Subnet>,
    last: Option<Subnet>,
    own_id: &str,
    reservations: &Reservations,
) -> Result<Subnet, LocalError> {
    let mut taken = networks_of_host(&bridge_of(own_id)).await?;
    taken.extend(reservations.keys());
    let is_free = |subnet: &Subnet| !taken.iter().any(|other| other.overlaps(*subnet));
    if let Some(subnet) = wanted {
        return Some(subnet).filter(is_free).ok_or_else(|| {
            LocalError::Invalid(format!(
                "{subnet} meets a network this host has already: choose another one, or leave the subnet unset"
            ))
        });
    }
    last.into_iter().chain(Subnet::pool()).find(is_free).ok_or_else(|| {
        LocalError::Exhausted(
            "every /24 of 10.213.0.0/16 is taken on this host: set a subnet for the local machines".into(),
        )
    })
}

fn new_id(reservations: &Reservations) -> Result<String, LocalError> {
    loop {
        let mut bytes = [0_u8; 3];
        getrandom::fill(&mut bytes)
            .map_err(|error| LocalError::io("/dev/urandom")(io::Error::other(error.to_string())))?;
        let id = hex::encode(bytes);
        if reservations.values().all(|holder| holder.id != id) {
            return Ok(id);
        }
    }
}

#[derive(Debug, Deserialize)]
struct Link {
    ifname: String,
    #[serde(default)]
    addr_info: Vec<LinkAddress>,
}

#[derive(Debug, Deserialize)]
struct LinkAddress {
    local: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Route {
    dst: String,
    dev: Option<String>,
}

/// The networks this host has addresses in or routes to, except those of its own bridge.
async fn networks_of_host(own_bridge: &str) -> Result<Vec<Subnet>, LocalError> {
    let links: Vec<Link> = parse(&run("ip", &["-j", "-4", "address"]).await?)?;
    let routes: Vec<Route> = parse(&run("ip", &["-j", "-4", "route", "show", "table", "main"]).await?)?;
    let addresses = links
        .into_iter()
        .filter(|link| link.ifname != own_bridge)
        .flat_map(|link| link.addr_info)
        .filter_map(|address| address.local);
    let destinations =
        routes.into_iter().filter(|route| route.dev.as_deref() != Some(own_bridge)).map(|route| route.dst);
    // "default" is no network, and does not parse as one.
    Ok(addresses.chain(destinations).filter_map(|text| text.parse().ok()).collect())
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, LocalError> {
    let text = if text.trim().is_empty() { "[]" } else { text };
    serde_json::from_str(text)
        .map_err(|error| LocalError::Command { program: "ip -j".into(), detail: format!("unexpected answer: {error}") })
}
