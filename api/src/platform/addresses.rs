//! Addresses of this host, addresses that are no public ones, and name servers.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks without public addresses; and Azure's 168.63.129.16, which only looks like one.
pub const NOT_PUBLIC_4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
];

/// Those of IPv6, and those that stand for IPv4 addresses: mapped, translated, 6to4, Teredo.
pub const NOT_PUBLIC_6: &[&str] = &[
    "::/96",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "2001::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

/// IPv4 networks that are closed even if a setting names a network that contains them: this host, link-local addresses,
/// multicast, and the addresses at which clouds tell a host its own secrets (Alibaba 100.100.100.200, Azure 168.63.129.16,
/// Oracle 192.0.0.192, others 169.254.169.254).
pub const NEVER_4: &[&str] = &[
    "0.0.0.0/8",
    "100.100.100.200/32",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "224.0.0.0/3",
];

/// The host's part of an address, in the list of routes of its own.
const LOCAL_ROUTE: &str = "/32 host LOCAL";

/// The addresses of this host in the network namespace of this process, except those of the loopback interface.
pub fn own() -> Vec<IpAddr> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let four = of_trie(&read("/proc/net/fib_trie")).into_iter().map(IpAddr::V4);
    let six = of_interfaces(&read("/proc/net/if_inet6")).into_iter().map(IpAddr::V6);
    four.chain(six).filter(|address| !address.is_loopback()).collect()
}

/// The name server of a line of resolv.conf(5), without its zone.
pub fn name_server(line: &str) -> Option<IpAddr> {
    let mut words = line.split_whitespace();
    let (keyword, address) = (words.next()?, words.next()?);
    let address = address.split('%').next().unwrap_or(address);
    if keyword == "nameserver" { address.parse().ok() } else { None }
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
    fn a_name_server_is_read_without_its_zone_and_other_lines_name_none() {
        assert_eq!(name_server("nameserver 10.255.255.53"), Some("10.255.255.53".parse().unwrap()));
        assert_eq!(name_server("nameserver fe80::1%eth0 # first"), Some("fe80::1".parse().unwrap()));
        for line in ["", "# nameserver 10.0.0.1", "nameserver", "nameserver x", "search 10.0.0.1"] {
            assert_eq!(name_server(line), None, "{line}");
        }
    }

    #[test]
    fn all_networks_can_be_parsed() {
        for text in NOT_PUBLIC_4.iter().chain(NOT_PUBLIC_6).chain(NEVER_4) {
            assert!(text.parse::<ipnet::IpNet>().is_ok_and(|network| network == network.trunc()), "{text}");
        }
    }
}
