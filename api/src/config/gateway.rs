//! The settings of the gateway, whose names begin with `OCIM_GATEWAY_`, as one validated section.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{Settings, address};

/// The scheme of an instance's URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP without TLS.
    Http,
    /// HTTP with TLS, which a proxy in front of the gateway terminates.
    Https,
}

impl Scheme {
    /// The scheme as in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that URLs leave out.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// Parses the scheme of a URL; none for any other word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Http, Self::Https].into_iter().find(|scheme| scheme.as_str() == word)
    }
}

/// Scheme and port of the public URLs of all instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Front {
    /// The scheme of every instance's URL.
    pub scheme: Scheme,
    /// The port of every instance's URL.
    pub port: u16,
}

/// The gateway's listening address, its trusted proxies and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Whether the gateways have agents; none runs in the server's own host then.
    pub has_agents: bool,
    /// The address where the gateway listens.
    pub listen: SocketAddr,
    /// The address where it serves HTTPS; none: it does not.
    pub listen_tls: Option<SocketAddr>,
    /// Where it keeps certificates with their keys; none: in its own directory.
    pub run_dir: Option<PathBuf>,
    /// From `OCIM_GATEWAY_PUBLIC_URL`; none: visitors connect to `listen` directly, with the instance's protocol.
    pub front: Option<Front>,
    /// The proxies that are trusted to forward a visitor's scheme, port and address.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether connections from the trusted proxies begin with a PROXY protocol header.
    pub expects_proxy_protocol: bool,
    /// The maximum number of requests in progress at one app server.
    pub target_connections: u32,
    /// The maximum number of connections from one client address; none: no limit.
    pub source_connections: Option<NonZeroU32>,
    /// The number of host names that the gateway is sized for.
    pub max_hosts: u32,
}

impl GatewaySettings {
    /// The addresses where it listens.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.listen].into_iter().chain(self.listen_tls)
    }

    /// Validates the gateway's settings.
    ///
    /// # Errors
    /// Names the setting, and says what it must be.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let gateway = &settings.gateway;
        let trusted_proxies = networks("OCIM_GATEWAY_TRUSTED_PROXIES", &gateway.ocim_gateway_trusted_proxies)?;
        let expects_proxy_protocol = gateway.ocim_gateway_proxy_protocol;
        if expects_proxy_protocol && trusted_proxies.is_empty() {
            return Err("OCIM_GATEWAY_PROXY_PROTOCOL is true, and OCIM_GATEWAY_TRUSTED_PROXIES names no proxy; name \
                        the addresses that send PROXY protocol headers"
                .to_owned());
        }
        Ok(Self {
            has_agents: gateway.ocim_gateway_agents,
            listen: gateway.ocim_gateway_listen,
            listen_tls: gateway.ocim_gateway_listen_tls,
            run_dir: gateway.ocim_gateway_run_dir.clone(),
            front: gateway.ocim_gateway_public_url.as_deref().map(front).transpose()?,
            trusted_proxies,
            expects_proxy_protocol,
            target_connections: gateway.ocim_gateway_target_connections,
            source_connections: NonZeroU32::new(gateway.ocim_gateway_source_connections),
            max_hosts: gateway.ocim_gateway_max_hosts,
        })
    }
}

fn front(text: &str) -> Result<Front, String> {
    let url = address::url("OCIM_GATEWAY_PUBLIC_URL", text)?;
    let scheme = Scheme::parse(url.scheme()).unwrap_or(Scheme::Http);
    Ok(Front { scheme, port: url.port().unwrap_or(scheme.default_port()) })
}

/// Parses addresses and networks: `10.0.0.7`, `10.0.0.0/24`, `fd00::/8`.
fn networks(name: &str, texts: &[String]) -> Result<Vec<IpNet>, String> {
    let one = |text: &String| {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map_err(|_| format!("{name} holds “{text}”, which is neither an IP address nor a network like 10.0.0.0/24"))
    };
    texts.iter().filter(|text| !text.is_empty()).map(one).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(name: &str, value: &str) -> Result<GatewaySettings, String> {
        let settings = Settings::of([(name, value)], &[]).map_err(|error| error.to_string())?;
        GatewaySettings::new(&settings)
    }

    #[test]
    fn the_public_url_gives_scheme_and_port() {
        let front = |url: &str| read("OCIM_GATEWAY_PUBLIC_URL", url).map(|gateway| gateway.front.unwrap());
        assert_eq!(front("https://apps.example.org"), Ok(Front { scheme: Scheme::Https, port: 443 }));
        assert_eq!(front("https://apps.example.org:8443/"), Ok(Front { scheme: Scheme::Https, port: 8443 }));
        assert_eq!(front("http://localhost:8080"), Ok(Front { scheme: Scheme::Http, port: 8080 }));
        for wrong in ["apps.example.org", "ftp://apps.example.org"] {
            assert!(front(wrong).unwrap_err().contains("OCIM_GATEWAY_PUBLIC_URL"), "{wrong}");
        }
        assert_eq!(GatewaySettings::new(&Settings::default()).unwrap().front, None);
    }

    #[test]
    fn a_setting_that_makes_no_sense_is_named() {
        for (name, value) in [
            ("OCIM_GATEWAY_TRUSTED_PROXIES", "proxy.example"),
            ("OCIM_GATEWAY_PROXY_PROTOCOL", "true"),
            ("OCIM_GATEWAY_TARGET_CONNECTIONS", "0"),
            ("OCIM_GATEWAY_SOURCE_CONNECTIONS", "1000001"),
            ("OCIM_GATEWAY_MAX_HOSTS", "0"),
        ] {
            let error = read(name, value).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert_eq!(read("OCIM_GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8, fd00::1").unwrap().trusted_proxies.len(), 2);
    }
}
