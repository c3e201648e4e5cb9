//! Where a request comes from: the peer, or whoever a trusted proxy says it speaks for.

use std::net::IpAddr;

use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Addresses and networks: `10.0.0.7`, `10.0.0.0/24`, `fd00::/8`.
    ///
    /// # Errors
    /// Which one is neither.
    pub fn parse(texts: &[String]) -> Result<Self, String> {
        let one = |text: &String| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| format!("OCIM_TRUSTED_PROXIES holds «{text}», which is no address and no network"))
        };
        texts.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Who sent a request: going back from the peer, the first one that is no trusted proxy. What stands before it could be
    /// anybody's invention.
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

    /// Whether this is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// `::ffff:192.0.2.7` is 192.0.2.7.
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
        assert_eq!(client("192.0.2.7", Some("198.51.100.1")), "192.0.2.7", "the peer is nobody we trust");
        assert_eq!(client("10.0.0.5", Some("198.51.100.1")), "198.51.100.1");
        assert_eq!(client("fd00::1", Some("198.51.100.1, 10.0.0.9")), "198.51.100.1", "two proxies");
        assert_eq!(client("10.0.0.5", Some("6.6.6.6, 198.51.100.1")), "198.51.100.1", "the first was invented");
        assert_eq!(client("10.0.0.5", Some("nonsense")), "10.0.0.5");
        assert_eq!(client("10.0.0.5", None), "10.0.0.5");
        assert_eq!(client("::ffff:10.0.0.5", Some("198.51.100.1")), "198.51.100.1");
        assert!(Proxies::parse(&["proxy.example".into()]).unwrap_err().contains("proxy.example"));
    }
}
