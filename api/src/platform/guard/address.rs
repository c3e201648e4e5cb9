//! The client address of a request: the peer, or the address that a trusted proxy forwards.

use std::net::IpAddr;

use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Parses addresses and networks: `10.0.0.7`, `10.0.0.0/24`, `fd00::/8`.
    ///
    /// # Errors
    /// Names the text that is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let one = |text: &String| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| format!("OCIM_TRUSTED_PROXIES holds «{text}», which is no address and no network"))
        };
        texts.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// The client of a request: going back from the peer, the first address that is not a trusted proxy. The client may
    /// have forged any entry of the header before that one.
    pub fn client(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        let mut client = canonical(peer);
        for hop in forwarded_for.into_iter().flat_map(|value| value.rsplit(',')) {
            if !self.trusts(client) {
                break;
            }
            match hop.trim().parse() {
                Ok(address) => client = canonical(address),
                Err(_) => break,
            }
        }
        client
    }

    /// Whether the address is one of the trusted proxies.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Converts an IPv4-mapped IPv6 address to IPv4: `::ffff:192.0.2.7` to 192.0.2.7.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = Proxies::parse(&["10.0.0.0/24".into(), "fd00::1".into()]).unwrap();
        let client = |peer: &str, header: Option<&str>| proxies.client(peer.parse().unwrap(), header).to_string();
        assert_eq!(client("192.0.2.7", Some("198.51.100.1")), "192.0.2.7", "the peer is not a trusted proxy");
        assert_eq!(client("10.0.0.5", Some("198.51.100.1")), "198.51.100.1");
        assert_eq!(client("fd00::1", Some("198.51.100.1, 10.0.0.9")), "198.51.100.1", "two proxies");
        assert_eq!(client("10.0.0.5", Some("6.6.6.6, 198.51.100.1")), "198.51.100.1", "the first was invented");
        assert_eq!(client("10.0.0.5", Some("nonsense")), "10.0.0.5");
        assert_eq!(client("10.0.0.5", None), "10.0.0.5");
        assert_eq!(client("::ffff:10.0.0.5", Some("198.51.100.1")), "198.51.100.1");
        assert!(Proxies::parse(&["proxy.example".into()]).unwrap_err().contains("proxy.example"));
    }
}
