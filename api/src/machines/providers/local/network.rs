//! The bridge of a data directory and, for each machine, a network namespace joined to it by a veth pair.
//!
//! No route leads out: no NAT, no default route, no forwarding from the bridge even if the host forwards for others,
//! and no traffic between machines (isolated bridge ports). The host reaches each machine; a machine answers
//! ([`super::firewall`]). Without nftables, it reaches the services of the host that listen on all addresses.
//!
//! With a way out ([`super::outbound`]), a machine has a default route, and routes that make the networks unreachable
//! which are closed to it; its root may change neither.
//!
//! `held` is the network lock, see [`super::record::Store::network_lock`].

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use super::command::ip;
use super::error::LocalError;
use super::lock::Lock;
use super::outbound::WayOut;
use super::site::Site;

/// Names and address of one machine's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plug {
    /// Name of the network namespace.
    pub namespace: String,
    /// The host's end of the veth pair; the kernel allows at most 15 characters.
    pub interface: String,
    address: Ipv4Addr,
}

impl Plug {
    /// The names for a machine, after its directory's name, with an address of the site's subnet.
    pub(super) fn new(site: &Site, name: &str, address: Ipv4Addr) -> Self {
        let number = site.subnet.number(address).unwrap_or_default();
        Self { namespace: format!("ocim{}-{name}", site.id), interface: format!("ocim{}-{number:x}", site.id), address }
    }

    /// The file by which the namespace is entered.
    pub(super) fn namespace_file(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.namespace)
    }

    /// The namespace or interface that still exists.
    pub(super) fn leftover(&self) -> Option<String> {
        if self.namespace_file().exists() {
            return Some(format!("network namespace {}", self.namespace));
        }
        has_interface(&self.interface).then(|| format!("interface {}", self.interface))
    }
}

/// Creates the namespace and joins it to the bridge. With a way out, the rules must be set already.
pub(super) async fn plug(held: &Lock, site: &Site, plug: &Plug, way_out: Option<&WayOut>) -> Result<(), LocalError> {
    ensure_bridge(held, site).await?;
    forward(site, way_out.is_some())?;
    unplug(held, plug).await?;
    let Plug { namespace, interface, address } = plug;
    let with_prefix = format!("{address}/{}", site.subnet.prefix());
    // The same after a reboot; otherwise the host would keep sending to the old one until its ARP entry expires.
    let hardware = hardware_address(*address);
    ip(held, &["netns", "add", namespace]).await?;
    ip(
        held,
        &["link", "add", interface, "type", "veth", "peer", "name", "eth0", "address", &hardware, "netns", namespace],
    )
    .await?;
    ip(held, &["-n", namespace, "address", "add", &with_prefix, "dev", "eth0"]).await?;
    ip(held, &["-n", namespace, "link", "set", "eth0", "up"]).await?;
    if let Some(way_out) = way_out {
        set_routes(held, site, namespace, way_out).await?;
    }
    ip(held, &["link", "set", interface, "master", &site.bridge(), "up"]).await?;
    ip(held, &["link", "set", interface, "type", "bridge_slave", "isolated", "on"]).await?;
    Ok(())
}

async fn set_routes(held: &Lock, site: &Site, namespace: &str, way_out: &WayOut) -> Result<(), LocalError> {
    let (open, shut) = way_out.routes();
    for network in shut {
        ip(held, &["-n", namespace, "route", "replace", "unreachable", &network.to_string()]).await?;
    }
    let host = site.subnet.host_address().to_string();
    for network in open {
        ip(held, &["-n", namespace, "route", "replace", &network.to_string(), "via", &host, "dev", "eth0"]).await?;
    }
    Ok(())
}

/// Sets whether the kernel forwards what comes from the bridge, if there is one.
pub(super) fn forward(site: &Site, is_forwarded: bool) -> Result<(), LocalError> {
    set("ipv4", &site.bridge(), "forwarding", if is_forwarded { "1" } else { "0" })
}

/// Removes the interface and the namespace. Idempotent.
pub(super) async fn unplug(held: &Lock, plug: &Plug) -> Result<(), LocalError> {
    if has_interface(&plug.interface) {
        ip(held, &["link", "delete", &plug.interface]).await?;
    }
    if plug.namespace_file().exists() {
        ip(held, &["netns", "delete", &plug.namespace]).await?;
    }
    Ok(())
}

/// Removes the bridge unless a machine is on it. Gives whether there is none now.
pub(super) async fn remove_idle_bridge(held: &Lock, site: &Site) -> Result<bool, LocalError> {
    let bridge = site.bridge();
    let ports = Path::new("/sys/class/net").join(&bridge).join("brif");
    let is_idle = fs::read_dir(&ports).is_ok_and(|mut ports| ports.next().is_none());
    if is_idle {
        ip(held, &["link", "delete", &bridge]).await?;
    }
    Ok(!has_bridge(site))
}

/// Whether the bridge exists.
pub(super) fn has_bridge(site: &Site) -> bool {
    has_interface(&site.bridge())
}

async fn ensure_bridge(held: &Lock, site: &Site) -> Result<(), LocalError> {
    let bridge = site.bridge();
    let address = site.subnet.host_address();
    if !has_interface(&bridge) {
        // A fixed hardware address; otherwise the bridge takes one from its ports and changes it with them.
        ip(held, &["link", "add", &bridge, "address", &hardware_address(address), "type", "bridge"]).await?;
    }
    set("ipv6", &bridge, "disable_ipv6", "1")?;
    ip(held, &["address", "replace", &format!("{address}/{}", site.subnet.prefix()), "dev", &bridge]).await?;
    ip(held, &["link", "set", &bridge, "up"]).await?;
    Ok(())
}

/// Sets a kernel parameter of an interface; a kernel without the protocol has no such parameter and needs none.
fn set(protocol: &str, interface: &str, parameter: &str, value: &str) -> Result<(), LocalError> {
    let path = Path::new("/proc/sys/net").join(protocol).join("conf").join(interface).join(parameter);
    if path.exists() { fs::write(&path, value).map_err(LocalError::io(path)) } else { Ok(()) }
}

fn has_interface(name: &str) -> bool {
    Path::new("/sys/class/net").join(name).exists()
}

/// A locally administered hardware address, derived from the IP address.
fn hardware_address(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:0c:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn interface_names_fit_the_kernel_in_the_largest_subnet() {
        let site = Site { id: "0a1b2c".into(), subnet: "172.16.0.0/16".parse().unwrap() };
        let plug = Plug::new(&site, &i64::MAX.to_string(), Ipv4Addr::new(172, 16, 255, 254));
        assert_eq!(plug.interface, "ocim0a1b2c-fffe");
        assert!(plug.interface.len() <= 15);
        assert!(site.bridge().len() <= 15);
    }
}
