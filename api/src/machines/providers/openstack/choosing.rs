//! Finds what the selectors mean in a cloud. Nothing and several are errors that list the choices.

use serde::Deserialize;

use super::catalog::Service;
use super::error::OpenStackError;
use super::selectors::{FlavorSelector, ImageSelector, NetworkSelector};
use super::session::{Call, Session};
use super::words::choices;

/// A flavor: the size of a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Flavor {
    /// Nova's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// MB of memory.
    pub ram: u32,
    /// CPUs.
    pub vcpus: u32,
    /// GB of root disk; 0: as large as the image.
    pub disk: u32,
    #[serde(default, rename = "OS-FLV-DISABLED:disabled")]
    is_disabled: bool,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// Glance's id of it.
    pub id: String,
    /// Its name.
    #[serde(default, deserialize_with = "text_or_null")]
    pub name: String,
    status: String,
    created_at: String,
}

/// A network.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Network {
    /// Neutron's id of it.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    #[serde(default, rename = "router:external")]
    is_external: bool,
}

/// The setting that selects the flavor.
const FLAVOR: &str = "OPENSTACK_SANDBOX_FLAVOR";
/// The setting that selects the image.
const IMAGE: &str = "OPENSTACK_SANDBOX_BASE_IMAGE";
/// The setting that selects the network.
const NETWORK: &str = "OPENSTACK_NETWORK";
/// The setting that selects the pool of floating addresses.
const POOL: &str = "OPENSTACK_FLOATING_NETWORK";

/// Finds the flavor.
pub(super) async fn flavor(session: &Session, selector: &FlavorSelector) -> Result<Flavor, OpenStackError> {
    let call = Call::get(Service::Compute, &["flavors", "detail"], "List flavors");
    let all: Vec<Flavor> = session.list(call, "flavors").await?;
    match selector {
        FlavorSelector::Named(name) => named("flavor", FLAVOR, name, all, |one| (&one.id, &one.name)),
        FlavorSelector::Smallest { memory_mb, vcpus, disk_gb } => {
            let size = |one: &Flavor| (one.ram, one.vcpus, one.disk);
            let list = choices(all.iter().map(shown));
            let is_enough = |one: &Flavor| one.ram >= *memory_mb && one.vcpus >= *vcpus && one.disk >= *disk_gb;
            let mut enough: Vec<_> = all.into_iter().filter(|one| !one.is_disabled && is_enough(one)).collect();
            enough.sort_by_key(size);
            let smallest = enough.first().map(size);
            enough.retain(|one| Some(size(one)) == smallest);
            let wanted = format!("at least {memory_mb} MB of memory, {vcpus} CPUs and {disk_gb} GB of disk");
            if enough.is_empty() {
                return Err(none(&format!("flavor with {wanted}"), FLAVOR, &list));
            }
            only(enough, shown, &format!("smallest flavor with {wanted}"), FLAVOR, &list)
        }
    }
}

/// Finds the image, which must be active.
pub(super) async fn image(session: &Session, selector: &ImageSelector) -> Result<Image, OpenStackError> {
    let all: Vec<Image> = session.list(Call::get(Service::Image, &["images"], "List images"), "images").await?;
    match selector {
        ImageSelector::Named(name) => {
            let found = named("image", IMAGE, name, all, |one| (&one.id, &one.name))?;
            if found.status == "active" {
                return Ok(found);
            }
            let words = format!("the image `{name}` ({}) is {}; it must be active", found.id, choices([found.status]));
            Err(OpenStackError::Settings(words))
        }
        ImageSelector::Newest(prefix) => {
            let list = choices(all.iter().map(|one| one.name.clone()));
            let fitting = all.into_iter().filter(|one| one.status == "active" && one.name.starts_with(prefix));
            // The id decides between images of the same second, so that the choice is always the same.
            let newest = fitting.max_by(|one, other| (&one.created_at, &one.id).cmp(&(&other.created_at, &other.id)));
            newest.ok_or_else(|| none(&format!("active image whose name begins with `{prefix}`"), IMAGE, &list))
        }
    }
}

/// Finds the network that servers are connected to.
pub(super) async fn network(session: &Session, selector: &NetworkSelector) -> Result<Network, OpenStackError> {
    let mut all = networks(session).await?;
    match selector {
        NetworkSelector::Named(name) => named("network", NETWORK, name, all, |one| (&one.id, &one.name)),
        NetworkSelector::Only => {
            all.retain(|one| !one.is_external);
            let list = choices(all.iter().map(shown_network));
            only(all, shown_network, "network that is not external", NETWORK, &list)
        }
    }
}

/// Finds the external network that gives out floating addresses.
pub(super) async fn pool(session: &Session, name: &str) -> Result<Network, OpenStackError> {
    let mut all = networks(session).await?;
    all.retain(|one| one.is_external);
    named("external network", POOL, name, all, |one| (&one.id, &one.name))
}

async fn networks(session: &Session) -> Result<Vec<Network>, OpenStackError> {
    session.list(Call::get(Service::Network, &["networks"], "List networks"), "networks").await
}

/// The one with this id, or else the only one with this name.
fn named<T>(
    kind: &str,
    setting: &str,
    wanted: &str,
    all: Vec<T>,
    key: impl Fn(&T) -> (&String, &String),
) -> Result<T, OpenStackError> {
    let shown = |one: &T| {
        let (id, name) = key(one);
        format!("{name} ({id})")
    };
    let list = choices(all.iter().map(&shown));
    let (mut by_id, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| key(one).0 == wanted);
    if let Some(found) = by_id.pop() {
        return Ok(found);
    }
    let by_name = others.into_iter().filter(|one| key(one).1 == wanted).collect();
    only(by_name, shown, &format!("{kind} with the name or id `{wanted}`"), setting, &list)
}

/// The only one of these.
fn only<T>(
    mut found: Vec<T>,
    shown: impl Fn(&T) -> String,
    what: &str,
    setting: &str,
    all: &str,
) -> Result<T, OpenStackError> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(one), false) => {
            let several = choices(found.iter().chain([&one]).map(shown));
            let words = format!("the cloud has more than one {what}: {several}. Choose one by its id, in {setting}");
            Err(OpenStackError::Settings(words))
        }
        (None, _) => Err(none(what, setting, all)),
    }
}

fn none(what: &str, setting: &str, all: &str) -> OpenStackError {
    OpenStackError::Settings(format!("the cloud has no {what}; it has: {all}. Choose one in {setting}"))
}

fn shown(flavor: &Flavor) -> String {
    let Flavor { id, name, ram, vcpus, disk, .. } = flavor;
    format!("{name} ({id}, {ram} MB, {vcpus} CPUs, {disk} GB)")
}

fn shown_network(network: &Network) -> String {
    format!("{} ({})", network.name, network.id)
}

/// An image may have no name.
fn text_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
