//! The way out of the machines (`OCIM_LOCAL_NETWORK=outbound`): which networks they may begin connections to, and who
//! resolves names for them. IPv4 only: the machines' bridge has no IPv6.
//!
//! Two walls refuse all other addresses: the rules of nftables ([`super::firewall`]), and routes in each machine's own
//! network namespace, which its root cannot change. The routes stay when something flushes the rules.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::Ipv4Net;

use super::error::LocalError;
use super::firewall;
use super::forwarding;
use super::site::Site;
use crate::platform::addresses::{self, NEVER_4, NOT_PUBLIC_4};

/// What machines may reach beyond this host, as the settings say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Private networks that machines may reach besides public addresses.
    pub networks: Vec<Ipv4Net>,
    /// The machines' name servers; empty: those of this host that machines can reach.
    pub resolvers: Vec<Ipv4Addr>,
}

/// The way out as it is now: with the name servers and interfaces of this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WayOut {
    pub networks: Vec<Ipv4Net>,
    pub resolvers: Vec<Ipv4Addr>,
    /// Interfaces on which forwarding is on for the machines alone: nothing else may be forwarded from there.
    pub guarded: Vec<String>,
}

/// The files that name the host's name servers. In the first one systemd-resolved writes itself, at a loopback address, and
/// in the second one the servers that it asks.
const RESOLV_CONF: [&str; 2] = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
/// glibc reads no more.
const MAX_RESOLVERS: usize = 3;

impl Outbound {
    /// The name servers for machines: those of the settings, or those of this host that are neither the host itself nor
    /// link-local. Empty if there are none.
    pub(super) fn resolvers(&self) -> Vec<Ipv4Addr> {
        if !self.resolvers.is_empty() {
            return self.resolvers.clone();
        }
        let files = RESOLV_CONF.iter().map(|path| fs::read_to_string(path).unwrap_or_default());
        let own = addresses::own();
        files.map(|text| usable(&text, &own)).find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// The present way out of this site. From now on the site counts as a user of the interfaces' forwarding.
    pub(super) async fn find(&self, site: &Site) -> Result<WayOut, LocalError> {
        let resolvers = self.resolvers();
        let places = self.networks.iter().map(Ipv4Net::network).chain(resolvers.iter().copied());
        let uplinks = forwarding::uplinks(places).await;
        if uplinks.is_empty() {
            tracing::warn!(
                "this host has no route to other networks, so its machines have no way out until the next launch"
            );
        }
        let guarded = forwarding::claim(site, &uplinks).await?;
        Ok(WayOut { networks: self.networks.clone(), resolvers, guarded })
    }

    /// Checks, without changing anything, that this host can confine what it lets out.
    ///
    /// # Errors
    /// [`LocalError::NoWayOut`] with the reason and the remedy.
    pub(super) async fn check(&self, site: &Site) -> Result<(), LocalError> {
        let own = addresses::own();
        if let Some(resolver) = self.resolvers.iter().find(|address| !is_reachable(**address, &own)) {
            return Err(LocalError::NoWayOut(format!(
                "OCIM_LOCAL_RESOLVERS names {resolver}, which machines never reach: it is this host's own address, or \
                 link-local. Name a server in another place"
            )));
        }
        let way_out = WayOut { networks: self.networks.clone(), resolvers: self.resolvers(), ..WayOut::default() };
        firewall::check(site, &way_out).await.map_err(|error| {
            LocalError::NoWayOut(format!(
                "the rules that confine it cannot be set ({error}). Install Debian's package nftables; the kernel needs NAT, \
                 connection tracking and its limits (CONFIG_NFT_MASQ, CONFIG_NFT_CT, CONFIG_NFT_CONNLIMIT)"
            ))
        })?;
        forwarding::check()
    }
}

impl WayOut {
    /// The networks that machines are not let into, apart from those that [`NEVER_4`] names.
    pub(super) fn refused() -> String {
        NOT_PUBLIC_4.join(", ")
    }

    /// Routes of a machine's namespace: what leads out, and what is unreachable. Between networks the longest prefix
    /// decides, so that a named network which contains a refused one opens that, too.
    pub(super) fn routes(&self) -> (Vec<Ipv4Net>, Vec<Ipv4Net>) {
        let parse = |list: &[&str]| list.iter().filter_map(|text| text.parse().ok()).collect::<Vec<Ipv4Net>>();
        let mut open = vec![Ipv4Net::default()];
        open.extend(self.networks.iter().map(Ipv4Net::trunc));
        open.extend(self.resolvers.iter().copied().map(Ipv4Net::from));
        let never = parse(NEVER_4);
        open.retain(|network| !never.iter().any(|refused| refused.contains(network)));
        let is_named = |refused: &Ipv4Net| self.networks.iter().any(|network| network.contains(refused));
        let mut shut = parse(NOT_PUBLIC_4);
        shut.retain(|refused| !is_named(refused));
        shut.extend(never);
        shut.sort_unstable();
        shut.dedup();
        (open, shut)
    }
}

/// The name servers of a resolv.conf(5) that machines can reach, without doubles.
fn usable(text: &str, own: &[IpAddr]) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    for address in text.lines().filter_map(addresses::name_server) {
        if let IpAddr::V4(address) = address
            && is_reachable(address, own)
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found.truncate(MAX_RESOLVERS);
    found
}

/// Whether machines may reach this address if it is named.
fn is_reachable(address: Ipv4Addr, own: &[IpAddr]) -> bool {
    let mut never = NEVER_4.iter().filter_map(|text| text.parse::<Ipv4Net>().ok());
    !own.contains(&IpAddr::V4(address)) && !never.any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn name_servers_on_this_host_or_its_link_are_left_out() {
        let own = ["192.0.2.2".parse().unwrap()];
        let text = "search example.org\nnameserver 127.0.0.53\nnameserver 192.0.2.2\nnameserver 169.254.169.254\n\
                    nameserver fd00::53\nnameserver 10.255.255.53\nnameserver 10.255.255.53\nnameserver 9.9.9.9\n";
        assert_eq!(usable(text, &own), [Ipv4Addr::new(10, 255, 255, 53), Ipv4Addr::new(9, 9, 9, 9)]);
        assert!(usable("nameserver 127.0.0.1\n", &own).is_empty());
        let many: String = (1..=5).map(|n| format!("nameserver 9.9.9.{n}\n")).collect();
        assert_eq!(usable(&many, &own).len(), 3);
    }

    #[test]
    fn routes_lead_to_public_addresses_and_to_what_is_named() {
        let way_out = WayOut {
            networks: vec!["10.8.0.0/16".parse().unwrap(), "192.168.0.0/16".parse().unwrap()],
            resolvers: vec![Ipv4Addr::new(172, 16, 0, 53)],
            ..WayOut::default()
        };
        let (open, shut) = way_out.routes();
        let texts = |list: &[Ipv4Net]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&open), ["0.0.0.0/0", "10.8.0.0/16", "192.168.0.0/16", "172.16.0.53/32"]);
        for network in ["10.0.0.0/8", "172.16.0.0/12", "169.254.0.0/16", "100.100.100.200/32"] {
            assert!(texts(&shut).contains(&network.to_owned()), "{network}: {shut:?}");
        }
        assert!(!texts(&shut).contains(&"192.168.0.0/16".to_owned()), "it is named");
        let everything = WayOut { networks: vec!["0.0.0.0/0".parse().unwrap()], ..WayOut::default() };
        let shut = texts(&everything.routes().1);
        assert!(shut.contains(&"169.254.0.0/16".to_owned()) && !shut.contains(&"10.0.0.0/8".to_owned()), "{shut:?}");
        let link = WayOut { networks: vec!["169.254.169.0/24".parse().unwrap()], ..WayOut::default() };
        assert_eq!(texts(&link.routes().0), ["0.0.0.0/0"], "no setting opens it");
    }
}
