//! The host names that requests may be for. Protects against DNS rebinding: the requests of another site's page whose
//! name was pointed at this address carry that site's name, and are refused.

use std::net::IpAddr;

use crate::config::Settings;

/// The allowed names, in lower case, without a port.
#[derive(Debug)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The names from the settings. If there are none, those that need no DNS: `localhost`, any address, and the host
    /// of `OCIM_PUBLIC_URL`.
    pub fn new(settings: &Settings) -> Self {
        let public = settings.server.ocim_public_url.as_deref().and_then(|url| url::Url::parse(url).ok());
        let public = public.and_then(|url| url.host_str().map(str::to_owned));
        let named = settings.guard.ocim_allowed_hosts.iter().map(|host| without_port(host).to_ascii_lowercase());
        Self(named.chain(public).collect())
    }

    /// The names by which browsers reach this program, if they are no addresses.
    pub fn own(&self) -> Vec<String> {
        std::iter::once("localhost".to_owned()).chain(self.0.iter().cloned()).collect()
    }

    /// Whether a `Host` header names an allowed host. An IP address never belongs to another site.
    pub fn allow(&self, host: &str) -> bool {
        let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        is_address || name == "localhost" || name.ends_with(".localhost") || self.0.contains(&name)
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // In `[::1]` the part after the last colon is not a port.
        Some((name, port)) if !port.contains(']') => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_sites_are_refused() {
        let settings = Settings::with(|settings| {
            settings.guard.ocim_allowed_hosts = vec!["Ops.example:8443".into()];
            settings.server.ocim_public_url = Some("https://ocim.example/".into());
        });
        let hosts = Hosts::new(&settings);
        for right in [
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "192.0.2.7",
            "ops.example",
            "OPS.example:1",
            "ocim.example.",
        ] {
            assert!(hosts.allow(right), "{right}");
        }
        for wrong in ["evil.example", "localhost.evil.example", "evil.example:5000", "", "ops.example.evil"] {
            assert!(!hosts.allow(wrong), "{wrong}");
        }
    }
}
