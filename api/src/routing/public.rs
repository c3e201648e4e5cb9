//! Public addresses of the sites that the gateway serves.

use crate::config::gateway::{Front, GatewaySettings, Scheme};

/// Builds the public URLs of host names.
#[derive(Debug, Clone, Copy)]
pub struct PublicUrls {
    /// The proxy in front of the gateway, if known.
    front: Option<Front>,
    /// The port the gateway listens on.
    port: u16,
    /// The port of `https`: the gateway's own, or that of a proxy that is not known.
    https_port: u16,
}

impl PublicUrls {
    /// From the settings of the gateway.
    #[must_use]
    pub fn new(settings: &GatewaySettings) -> Self {
        let https_port = settings.listen_tls.map_or(Scheme::Https.default_port(), |address| address.port());
        Self { front: settings.front, port: settings.listen.port(), https_port }
    }

    /// For a gateway at this port that visitors reach directly.
    #[must_use]
    pub fn at_port(port: u16) -> Self {
        Self { front: None, port, https_port: Scheme::Https.default_port() }
    }

    /// The public URL of an instance's host name; its protocol (`http` or `https`) counts if no proxy is known.
    #[must_use]
    pub fn url(self, protocol: &str, hostname: &str) -> String {
        let own = || match Scheme::parse(protocol) {
            Some(Scheme::Https) => Front { scheme: Scheme::Https, port: self.https_port },
            Some(Scheme::Http) | None => Front { scheme: Scheme::Http, port: self.port },
        };
        let Front { scheme, port } = self.front.unwrap_or_else(own);
        let port = if port == scheme.default_port() { String::new() } else { format!(":{port}") };
        format!("{}://{hostname}{port}/", scheme.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Settings;

    #[test]
    fn only_an_unusual_port_is_in_the_address() {
        let at = |port| PublicUrls::at_port(port);
        assert_eq!(at(8080).url("http", "demo.localhost"), "http://demo.localhost:8080/");
        assert_eq!(at(80).url("http", "demo.localhost"), "http://demo.localhost/");
        assert_eq!(at(8080).url("https", "demo.localhost"), "https://demo.localhost/");
    }

    #[test]
    fn a_gateway_that_serves_https_gives_its_port() {
        let urls = |tls: &str| {
            let settings = Settings::with(|all| all.gateway.ocim_gateway_listen_tls = Some(tls.parse().unwrap()));
            PublicUrls::new(&GatewaySettings::new(&settings).unwrap())
        };
        assert_eq!(urls("0.0.0.0:8443").url("https", "demo.example.org"), "https://demo.example.org:8443/");
        assert_eq!(urls("0.0.0.0:443").url("https", "demo.example.org"), "https://demo.example.org/");
    }

    #[test]
    fn what_stands_in_front_gives_scheme_and_port() {
        let behind = |scheme, port| PublicUrls { front: Some(Front { scheme, port }), ..PublicUrls::at_port(8080) };
        assert_eq!(behind(Scheme::Https, 443).url("http", "demo.example.org"), "https://demo.example.org/");
        assert_eq!(behind(Scheme::Https, 8443).url("https", "demo.example.org"), "https://demo.example.org:8443/");
        assert_eq!(behind(Scheme::Http, 80).url("http", "demo.example.org"), "http://demo.example.org/");
    }
}
