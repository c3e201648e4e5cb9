//! Addresses that settings name.

use std::net::IpAddr;

use url::{Host, Url};

/// An address that a setting names.
///
/// # Errors
/// Which setting is wrong, and why.
pub fn url(setting: &str, text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{setting} is «{text}», which is no URL: {error}"))?;
    match (url.scheme(), url.host()) {
        ("http" | "https", Some(_)) => Ok(url),
        (_, _) => Err(format!("{setting} is «{text}»; it must begin with http:// or https:// and name a host")),
    }
}

/// The same, of somebody whose word counts or who is told secrets: whoever could change what is said could sign in as anybody, so it
/// must have TLS, unless it is on this machine.
///
/// # Errors
/// Which setting is wrong, and why.
pub fn protected_url(setting: &str, text: &str) -> Result<Url, String> {
    let url = url(setting, text)?;
    if url.scheme() == "https" || is_loopback(&url) {
        return Ok(url);
    }
    Err(format!("{setting} is «{text}»; it must begin with https://, or be on this machine"))
}

/// Whether this is on this machine. No proxy is needed for it, or knows it.
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
