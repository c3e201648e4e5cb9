//! Where visitors find what the gateway serves.

use crate::config::Settings;

/// The port that addresses with `http` carry: the gateway's own, unless another is put in front. None: the usual one.
pub fn port(settings: &Settings) -> Option<u16> {
    match &settings.ocim_gateway_public_url {
        Some(url) => url::Url::parse(url).ok().and_then(|url| url.port_or_known_default()),
        None => Some(settings.ocim_gateway_listen.port()),
    }
}

/// An address for people.
pub fn url(port: Option<u16>, protocol: &str, hostname: &str) -> String {
    match port {
        Some(port) if protocol == "http" && port != 80 => format!("{protocol}://{hostname}:{port}/"),
        Some(_) | None => format!("{protocol}://{hostname}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unusual_port_is_in_the_address() {
        assert_eq!(url(Some(8080), "http", "demo.localhost"), "http://demo.localhost:8080/");
        assert_eq!(url(Some(80), "http", "demo.localhost"), "http://demo.localhost/");
        assert_eq!(url(Some(8080), "https", "demo.localhost"), "https://demo.localhost/");
        assert_eq!(url(None, "http", "demo.localhost"), "http://demo.localhost/");
    }
}
