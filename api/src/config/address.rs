//! Parses and checks URLs in settings.

use std::net::IpAddr;

use url::{Host, Url};

/// Parses the URL in a setting.
///
/// # Errors
/// Names the setting, and says what is wrong.
pub fn url(setting: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{setting} is «{text}», which is no URL: {error}"))?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        (_, _) => Err(format!("{setting} is «{text}»; it must begin with http:// or https:// and name a host")),
    }
}

/// Parses the URL of an identity provider or another trusted party. It must use TLS, unless it is on this host:
/// otherwise an attacker on the network could read secrets or impersonate any user.
///
/// # Errors
/// Names the setting, and says what is wrong.
pub fn protected_url(setting: &str, text: &str) -> Result<Url, String> {
    let url = url(setting, text)?;
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(url);
    }
    Err(format!("{setting} is «{text}»; it must begin with https://, or be on this machine"))
}

/// Whether the URL's host is this one. Such a host is never reached through a proxy.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_secrets_has_tls_or_is_here() {
        for right in ["https://id.example/realms/x", "http://localhost:1/", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert!(protected_url("X", right).is_ok(), "{right}");
        }
        for wrong in
            ["http://id.example", "id.example", "ftp://localhost", "file:///x", "http://127.0.0.1.evil.example"]
        {
            assert!(protected_url("X", wrong).is_err(), "{wrong}");
        }
    }
}
