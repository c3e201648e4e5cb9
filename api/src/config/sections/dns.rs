use std::net::SocketAddr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// Names of instances in the DNS; see [dns.md](dns.md). The same for `ocim server` and every `ocim worker`.
    pub struct DnsSettings = "DNS";

    /// Where names of instances point: the public IPv4 and IPv6 addresses of the gateways, separated by commas, or one
    /// host name that has them, to which each name is then an alias (`CNAME`). Unset: names are neither set nor checked.
    ocim_gateway_addresses: Vec<String> = Vec::new();
    /// Who writes the records: `gandi` (Gandi LiveDNS), `rfc2136` (an authoritative server that accepts dynamic updates),
    /// or `none`: an operator, whom the page of each instance shows the records.
    ocim_dns: DnsProvider = DnsProvider::None;
    /// The zones that records may be written in, separated by commas. A name outside of them is left to an operator.
    ocim_dns_zones: Vec<String> = Vec::new();
    /// Seconds that resolvers may keep the records.
    ocim_dns_ttl: u32 = 300, seconds(30..=86_400);
    /// The resolver, `address:port`, that finds the authoritative servers of a zone.
    ocim_dns_resolver: Option<SocketAddr> = None, unset("the first of `/etc/resolv.conf`");
    /// The personal access token for Gandi LiveDNS. The name is from before: an API key does not work any more.
    gandi_api_key: Option<SecretString> = None;
    /// The day when that token expires, `2027-03-31`: the page of the system shows it, and warns 30 days before. Gandi does not
    /// tell it.
    gandi_api_key_expires: Option<String> = None;
    /// The URL of LiveDNS.
    gandi_api_url: String = "https://api.gandi.net/v5/livedns".into();
    /// The primary server of the zones, `host` or `host:port`, for `rfc2136`.
    ocim_dns_server: Option<String> = None;
    /// The name of the TSIG key, as at the server.
    ocim_dns_key_name: Option<String> = None;
    /// The algorithm of the TSIG key: `hmac-sha256`, `hmac-sha384` or `hmac-sha512`.
    ocim_dns_key_algorithm: String = "hmac-sha256".into();
    /// The secret of the TSIG key, in base64.
    ocim_dns_key_secret: Option<SecretString> = None;
}

/// Who writes the records of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DnsProvider {
    /// An operator.
    None,
    /// Gandi LiveDNS.
    Gandi,
    /// An authoritative server that accepts dynamic updates.
    Rfc2136,
}

impl Setting for DnsProvider {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}
