//! What a run may reach: nothing, or public addresses with a few exceptions. Pasta carries its packets as the run's
//! user, in a network of its own; rules of nftables in that network, which the run cannot change, refuse the rest.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::lookup_host;
use tokio::time::timeout;
use url::Url;

use super::etc::{RESOLVER, Resolvers};
use super::host;
use crate::platform::addresses::{self, NOT_PUBLIC_4, NOT_PUBLIC_6};

/// What a program may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// Only itself.
    #[default]
    None,
    /// Public addresses, the networks of the settings, and the proxy and the package index of the environment.
    Public,
    /// As `Public`, and this port of the run's own machine.
    Machine(SocketAddr),
}

/// Variables with URLs of a proxy or an index that the operator has chosen for this program.
const CHOSEN: &[&str] = &[
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_PROXY",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// How long a name of these URLs is looked up.
const LOOK_UP: Duration = Duration::from_secs(3);

/// The exceptions from the rule that only public addresses can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Egress {
    pub(super) resolvers: Resolvers,
    /// Addresses and ports.
    pub(super) allowed: BTreeSet<SocketAddr>,
    /// Whole networks.
    pub(super) networks: Vec<IpNet>,
    /// This host's own addresses: refused, although they may be public ones.
    pub(super) own: Vec<IpAddr>,
    /// The interface to name to pasta, where no route leads out.
    pub(super) interface: Option<String>,
}

impl Egress {
    /// None: no network.
    pub(super) async fn find(network: Network, networks: &[IpNet]) -> Option<Self> {
        let mut allowed = match network {
            Network::None => return None,
            Network::Public => BTreeSet::new(),
            Network::Machine(address) => BTreeSet::from([address]),
        };
        for (host, port) in chosen(|name| std::env::var(name).ok()) {
            match timeout(LOOK_UP, lookup_host((host.as_str(), port))).await {
                Ok(Ok(found)) => allowed.extend(found),
                // The program says it, too: it cannot reach that host.
                Ok(Err(_)) | Err(_) => tracing::warn!(host, "a proxy or index of the environment has no address now"),
            }
        }
        let (own, interface) = (addresses::own(), host::only_interface());
        Some(Self { resolvers: Resolvers::of_host(), allowed, networks: networks.to_vec(), own, interface })
    }

    /// Options of pasta. Ports of the host's loopback interface are forwarded only if they are allowed.
    pub(super) fn pasta(&self) -> Vec<String> {
        let ports: BTreeSet<_> = self.allowed.iter().filter(|to| to.ip().is_loopback()).map(SocketAddr::port).collect();
        let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
        let forwarded = if ports.is_empty() { "none".to_owned() } else { ports.join(",") };
        let mut options: Vec<String> =
            ["--quiet", "--config-net", "--no-map-gw", "-t", "none", "-u", "none", "-U", "none"]
                .map(str::to_owned)
                .into();
        options.extend(["-T".to_owned(), forwarded]);
        if let Some(interface) = &self.interface {
            // It has no address and no router to copy from there, so it is given some of a network for tests.
            options.extend(["-i", interface, "-a", "198.18.0.2", "-n", "30", "-g", "198.18.0.1"].map(str::to_owned));
        }
        if self.resolvers.needs_forwarding() {
            options.extend(["--dns-forward".to_owned(), RESOLVER.to_string()]);
        }
        options
    }

    /// The rules for what the run sends, as `nft -f` reads them.
    pub(super) fn rules(&self) -> String {
        let mut rules = vec!["oif lo accept".to_owned()];
        for server in &self.resolvers.servers {
            rules.push(format!("{} meta l4proto {{ tcp, udp }} th dport 53 accept", to(&server.to_string(), *server)));
        }
        for address in self.allowed.iter().filter(|address| !address.ip().is_loopback()) {
            let port = address.port();
            rules.push(format!("{} tcp dport {port} accept", to(&address.ip().to_string(), address.ip())));
        }
        let refuse = "reject with icmpx admin-prohibited";
        // Before the networks, in which they may lie.
        for own in &self.own {
            rules.push(format!("{} {refuse}", to(&own.to_string(), *own)));
        }
        for network in &self.networks {
            rules.push(format!("{} accept", to(&network.trunc().to_string(), network.addr())));
        }
        rules.push(format!("ip daddr {{ {} }} {refuse}", NOT_PUBLIC_4.join(", ")));
        // Neighbours are asked for their hardware addresses.
        rules.push("icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept".to_owned());
        rules.push(format!("ip6 daddr {{ {} }} {refuse}", NOT_PUBLIC_6.join(", ")));
        let rules = rules.join("\n    ");
        format!(
            "table inet ocim {{\n  chain out {{\n    type filter hook output priority 0; policy accept;\n    {rules}\n  }}\n}}\n"
        )
    }
}

fn to(place: &str, address: IpAddr) -> String {
    let family = if address.is_ipv4() { "ip" } else { "ip6" };
    format!("{family} daddr {place}")
}

/// Hosts and ports of the proxy and the index that the environment names.
fn chosen(variable: impl Fn(&str) -> Option<String>) -> BTreeSet<(String, u16)> {
    let values = CHOSEN.iter().filter_map(|name| variable(name));
    let words: Vec<String> =
        values.flat_map(|value| value.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let found = words.iter().filter_map(|word| {
        // curl, and so git, takes a proxy without a scheme.
        let url = if word.contains("://") {
            Url::parse(word)
        } else if word.starts_with(['/', '.']) {
            return None;
        } else {
            Url::parse(&format!("http://{word}"))
        };
        let url = url.ok()?;
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().or_else(|| url.scheme().starts_with("socks").then_some(1080))?;
        Some((host, port))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[tokio::test]
    async fn a_run_reaches_its_machine_and_what_the_settings_name() {
        let networks: Vec<IpNet> = vec!["10.8.0.0/24".parse().unwrap(), "fd00:8::/64".parse().unwrap()];
        assert_eq!(Egress::find(Network::None, &networks).await, None);
        let machine = "10.213.0.7:22".parse().unwrap();
        let egress = Egress::find(Network::Machine(machine), &networks).await.unwrap();
        let egress = Egress { own: vec!["10.8.0.9".parse().unwrap()], ..egress };
        let rules = egress.rules();
        let at = |rule: &str| rules.find(rule).ok_or((rule, &rules)).unwrap();
        let refused = at("ip daddr { 0.0.0.0/8, 10.0.0.0/8");
        for rule in
            ["ip daddr 10.213.0.7 tcp dport 22 accept", "ip daddr 10.8.0.0/24 accept", "ip6 daddr fd00:8::/64 accept"]
        {
            assert!(at(rule) < refused, "{rule}");
        }
        assert!(at("ip daddr 10.8.0.9 reject") < at("ip daddr 10.8.0.0/24 accept"), "this host's own address");
        let options = egress.pasta().join(" ");
        assert!(
            options.contains("-T none") && options.contains("-U none") && options.contains("--no-map-gw"),
            "{options}"
        );
    }

    #[test]
    fn of_the_loopback_interface_only_an_allowed_port_is_forwarded() {
        let allowed = BTreeSet::from(["127.0.0.1:2222".parse().unwrap(), "[::1]:3128".parse().unwrap()]);
        let egress = Egress { allowed, ..Egress::default() };
        assert!(egress.pasta().join(" ").contains("-T 2222,3128"), "{:?}", egress.pasta());
        assert!(!egress.rules().contains("2222"));
    }

    #[test]
    fn the_proxy_and_the_index_of_the_environment_are_found() {
        let found = chosen(|name| match name {
            "HTTPS_PROXY" => Some("proxy.example:3128".to_owned()),
            "PIP_INDEX_URL" => Some("https://user:pw@pypi.example/simple".to_owned()),
            "PIP_FIND_LINKS" => Some("/opt/wheels https://files.example:8443/x".to_owned()),
            "http_proxy" => Some("http://[fd00::1]:80/".to_owned()),
            _ => None,
        });
        let expected = [("fd00::1", 80), ("files.example", 8443), ("proxy.example", 3128), ("pypi.example", 443)];
        assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)).into());
    }
}
