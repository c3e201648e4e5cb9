//! This host's own addresses and routes, as the kernel lists them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The host's part of an address, in the list of routes of its own.
const LOCAL_ROUTE: &str = "/32 host LOCAL";

/// The host's addresses, except those of its loopback interface.
pub(super) fn addresses() -> Vec<IpAddr> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let four = of_trie(&read("/proc/net/fib_trie")).into_iter().map(IpAddr::V4);
    let six = of_interfaces(&read("/proc/net/if_inet6")).into_iter().map(IpAddr::V6);
    four.chain(six).filter(|address| !address.is_loopback()).collect()
}

/// A network interface to name where no route leads out: the first one that has a route. None: pasta finds its own.
pub(super) fn only_interface() -> Option<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    interface(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
}

fn interface(four: &str, six: &str) -> Option<String> {
    let routes: Vec<_> = four
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    let zeros = "0".repeat(32);
    let leads_out = |line: &str| line.starts_with(&zeros) && line.split_whitespace().next_back() != Some("lo");
    if routes.iter().any(|(_, to)| *to == "00000000") || six.lines().any(leads_out) {
        return None;
    }
    routes.iter().map(|(name, _)| *name).find(|name| *name != "lo").map(str::to_owned)
}

fn of_trie(text: &str) -> Vec<Ipv4Addr> {
    let mut found = Vec::new();
    let mut last = None;
    for line in text.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address.parse().ok();
        } else if line.starts_with(LOCAL_ROUTE)
            && let Some(address) = last
            && !found.contains(&address)
        {
            found.push(address);
        }
    }
    found
}

fn of_interfaces(text: &str) -> Vec<Ipv6Addr> {
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    words.filter_map(|word| Some(Ipv6Addr::from(u128::from_str_radix(word, 16).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn own_addresses_are_found_and_networks_are_none() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 192.0.2.0\n        \
                    /24 link UNICAST\n     |-- 192.0.2.2\n        /32 host LOCAL\n     |-- 192.0.2.255\n        /32 link BROADCAST\n";
        assert_eq!(of_trie(trie), [Ipv4Addr::new(192, 0, 2, 2)]);
        let six = "fd000000000000000000000000000002 02 40 00 80     eth0\n";
        assert_eq!(of_interfaces(six), ["fd00::2".parse::<Ipv6Addr>().unwrap()]);
    }

    #[test]
    fn an_interface_is_named_only_where_no_route_leads_out() {
        let head = "Iface\tDestination\tGateway\n";
        let bridge = format!("{head}br0\t0007D50A\t00000000\n");
        assert_eq!(interface(&bridge, ""), Some("br0".to_owned()));
        assert_eq!(interface(&format!("{bridge}eth0\t00000000\t010200C0\n"), ""), None);
        let six = format!("{} 00 {} 00 {} 00000400 0 0 0 eth0\n", "0".repeat(32), "0".repeat(32), "0".repeat(32));
        assert_eq!(interface(&bridge, &six), None);
        assert_eq!(interface(head, ""), None);
    }
}
