//! Where names of instances point, and who writes their records, as one validated section.

use std::net::{IpAddr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::NaiveDate;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use shared_types::dns::{DnsRecord, RecordKind};
use url::Url;

use super::sections::{DnsProvider, DnsSettings};
use super::{Settings, address};

/// The port of name servers.
pub const PORT: u16 = 53;

/// Where names of instances point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The addresses of the gateways; at least one.
    Addresses(Vec<IpAddr>),
    /// A host name that has them, in lower case and without a dot at the end.
    Name(String),
}

impl Target {
    /// The records that each name needs, sorted.
    pub fn records(&self) -> Vec<DnsRecord> {
        let mut records: Vec<_> = match self {
            Self::Addresses(addresses) => addresses.iter().copied().map(record).collect(),
            Self::Name(name) => vec![DnsRecord { kind: RecordKind::Cname, value: name.clone() }],
        };
        records.sort();
        records.dedup();
        records
    }
}

/// The record that has this address.
pub fn record(address: IpAddr) -> DnsRecord {
    let kind = if address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
    DnsRecord { kind, value: address.to_string() }
}

/// The algorithm of a TSIG key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl KeyAlgorithm {
    /// The name in the DNS.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        }
    }
}

/// A TSIG key.
#[derive(Debug)]
pub struct TsigKey {
    pub name: String,
    pub algorithm: KeyAlgorithm,
    pub secret: SecretBox<[u8]>,
}

/// Who writes the records.
#[derive(Debug)]
pub enum Writer {
    /// Gandi LiveDNS, by its API.
    Gandi { url: Url, token: SecretString, expires: Option<NaiveDate> },
    /// The primary server, by dynamic updates. `server`: host and port.
    Rfc2136 { server: String, key: TsigKey },
}

/// The settings of names.
#[derive(Debug)]
pub struct NameSettings {
    /// Where names point; none: names are neither set nor checked.
    pub target: Option<Target>,
    /// Who writes the records; none: an operator.
    pub writer: Option<Writer>,
    /// The zones that records may be written in: in lower case, without a dot at the end, the most specific first.
    pub zones: Vec<String>,
    /// Seconds that resolvers may keep the records.
    pub ttl: u32,
    /// The resolver; none: the system's.
    pub resolver: Option<SocketAddr>,
}

impl NameSettings {
    /// Validates the settings of names.
    ///
    /// # Errors
    /// Names the setting, and says what it must be.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let own = &settings.dns;
        let target = target(&own.ocim_gateway_addresses)?;
        let named = own.ocim_dns_zones.iter().filter(|zone| !zone.is_empty());
        let mut zones = named.map(|text| zone(text)).collect::<Result<Vec<_>, _>>()?;
        zones.sort_by_key(|zone| (std::cmp::Reverse(zone.split('.').count()), zone.clone()));
        let writer = writer(own)?;
        if writer.is_some() && zones.is_empty() {
            return Err("OCIM_DNS_ZONES names no zone; name those that ocim may write records in".to_owned());
        }
        if writer.is_some() && target.is_none() {
            return Err("OCIM_GATEWAY_ADDRESSES is unset; give the public addresses of the gateways, or set OCIM_DNS \
                        to none"
                .to_owned());
        }
        Ok(Self { target, writer, zones, ttl: own.ocim_dns_ttl, resolver: own.ocim_dns_resolver })
    }
}

fn target(texts: &[String]) -> Result<Option<Target>, String> {
    const SETTING: &str = "OCIM_GATEWAY_ADDRESSES";
    let texts: Vec<_> = texts.iter().filter(|text| !text.is_empty()).collect();
    let addresses: Vec<_> = texts.iter().filter_map(|text| text.parse::<IpAddr>().ok()).collect();
    match texts.as_slice() {
        [] => Ok(None),
        all if addresses.len() == all.len() => Ok(Some(Target::Addresses(addresses))),
        [name] => Ok(Some(Target::Name(host(SETTING, name)?))),
        _ => Err(format!("{SETTING} must hold IPv4 and IPv6 addresses, or one host name")),
    }
}

fn writer(own: &DnsSettings) -> Result<Option<Writer>, String> {
    match own.ocim_dns {
        DnsProvider::None => Ok(None),
        DnsProvider::Gandi => {
            let url = address::protected_url("GANDI_API_URL", own.gandi_api_url.trim_end_matches('/'))?;
            let token = own.gandi_api_key.clone().filter(|token| !token.expose_secret().is_empty());
            let token = token.ok_or("GANDI_API_KEY is unset; OCIM_DNS=gandi needs a personal access token")?;
            let expires = own.gandi_api_key_expires.as_deref().map(day).transpose()?;
            Ok(Some(Writer::Gandi { url, token, expires }))
        }
        DnsProvider::Rfc2136 => {
            let missing = |name: &str| format!("{name} is unset; OCIM_DNS=rfc2136 needs it");
            let server = own.ocim_dns_server.as_deref().ok_or_else(|| missing("OCIM_DNS_SERVER"))?;
            let name = own.ocim_dns_key_name.as_deref().ok_or_else(|| missing("OCIM_DNS_KEY_NAME"))?;
            let secret = own.ocim_dns_key_secret.as_ref().ok_or_else(|| missing("OCIM_DNS_KEY_SECRET"))?;
            // The error of the decoder would quote a byte of the secret.
            let secret = STANDARD.decode(secret.expose_secret().trim()).ok().filter(|secret| !secret.is_empty());
            let secret = secret.ok_or("OCIM_DNS_KEY_SECRET must be base64, as in the server's configuration")?;
            let key = TsigKey {
                name: host("OCIM_DNS_KEY_NAME", name)?,
                algorithm: algorithm(&own.ocim_dns_key_algorithm)?,
                secret: SecretBox::new(secret.into_boxed_slice()),
            };
            Ok(Some(Writer::Rfc2136 { server: server_of(server)?, key }))
        }
    }
}

fn day(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("GANDI_API_KEY_EXPIRES is “{text}”; it must be a day like 2027-03-31"))
}

fn algorithm(text: &str) -> Result<KeyAlgorithm, String> {
    let all = [KeyAlgorithm::HmacSha256, KeyAlgorithm::HmacSha384, KeyAlgorithm::HmacSha512];
    let found = all.into_iter().find(|algorithm| algorithm.as_str() == text.trim_end_matches('.').to_ascii_lowercase());
    found.ok_or_else(|| {
        format!(
            "OCIM_DNS_KEY_ALGORITHM is “{text}”; it must be hmac-sha256, hmac-sha384 or hmac-sha512. Give the server a \
             key of one of these"
        )
    })
}

/// Host and port of the primary server.
fn server_of(text: &str) -> Result<String, String> {
    let wrong = || format!("OCIM_DNS_SERVER is “{text}”; it must be an address or a host name, with or without a port");
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address.to_string());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, PORT).to_string());
    }
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| wrong())?),
        None => (text, PORT),
    };
    let name = host("OCIM_DNS_SERVER", name).map_err(|_| wrong())?;
    Ok(format!("{name}:{port}"))
}

fn zone(text: &str) -> Result<String, String> {
    host("OCIM_DNS_ZONES", text)
}

/// A name in lower case, without a dot at the end.
fn host(setting: &str, text: &str) -> Result<String, String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(name);
    }
    Err(format!("{setting} holds “{text}”, which is not a name in the DNS"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<NameSettings, String> {
        let settings = Settings::of(variables.iter().copied(), &[]).map_err(|error| error.to_string())?;
        NameSettings::new(&settings)
    }

    const RFC2136: [(&str, &str); 6] = [
        ("OCIM_GATEWAY_ADDRESSES", "192.0.2.1, 2001:db8::1"),
        ("OCIM_DNS", "rfc2136"),
        ("OCIM_DNS_ZONES", "example.org, Sandbox.example.org."),
        ("OCIM_DNS_SERVER", "ns1.example.org"),
        ("OCIM_DNS_KEY_NAME", "ocim."),
        ("OCIM_DNS_KEY_SECRET", "c2VjcmV0"),
    ];

    #[test]
    fn addresses_or_one_name_are_where_names_point() {
        let target = |text: &str| read(&[("OCIM_GATEWAY_ADDRESSES", text)]).map(|names| names.target.unwrap());
        let records = target("192.0.2.2, 2001:db8::1, 192.0.2.1").unwrap().records();
        let values: Vec<_> = records.iter().map(|record| (record.kind.as_str(), record.value.as_str())).collect();
        assert_eq!(values, [("A", "192.0.2.1"), ("A", "192.0.2.2"), ("AAAA", "2001:db8::1")]);
        assert_eq!(target("Gateways.example.org.").unwrap(), Target::Name("gateways.example.org".to_owned()));
        assert!(target("192.0.2.1, gateways.example.org").unwrap_err().contains("or one host name"));
        assert!(target("a..b").unwrap_err().contains("OCIM_GATEWAY_ADDRESSES"));
        assert_eq!(read(&[]).unwrap().target, None);
    }

    #[test]
    fn dynamic_updates_need_server_key_and_zones() {
        let names = read(&RFC2136).unwrap();
        assert_eq!(names.zones, ["sandbox.example.org", "example.org"]);
        let Some(Writer::Rfc2136 { server, key }) = &names.writer else { panic!("{names:?}") };
        assert_eq!((server.as_str(), key.name.as_str()), ("ns1.example.org:53", "ocim"));
        assert_eq!(key.secret.expose_secret(), b"secret");
        assert!(!format!("{names:?}").contains("115, 101"), "the secret is not shown");
        for (name, _) in RFC2136.iter().skip(2).chain(RFC2136.first()) {
            let without: Vec<_> = RFC2136.iter().copied().filter(|(other, _)| other != name).collect();
            assert!(read(&without).unwrap_err().contains(name), "{name}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named_and_a_secret_is_not_quoted() {
        for (name, value) in [
            ("OCIM_DNS_KEY_ALGORITHM", "hmac-md5"),
            ("OCIM_DNS_KEY_SECRET", "geheim!"),
            ("OCIM_DNS_SERVER", "ns1:port"),
            ("OCIM_DNS_ZONES", "ex ample"),
        ] {
            let mut variables = RFC2136.to_vec();
            variables.retain(|(other, _)| *other != name);
            variables.push((name, value));
            let words = read(&variables).unwrap_err();
            assert!(words.contains(name) && !words.contains("geheim"), "{words}");
        }
        let gandi = [
            ("OCIM_GATEWAY_ADDRESSES", "192.0.2.1"),
            ("OCIM_DNS", "gandi"),
            ("OCIM_DNS_ZONES", "example.org"),
            ("GANDI_API_KEY", "pat"),
        ];
        let with = |name, value| read(&[&gandi[..], &[(name, value)]].concat());
        assert!(with("GANDI_API_KEY_EXPIRES", "next year").unwrap_err().contains("2027-03-31"));
        assert!(with("GANDI_API_URL", "http://gandi.example").unwrap_err().contains("https"));
        assert!(with("GANDI_API_KEY_EXPIRES", "2027-01-31").is_ok());
        assert!(read(&gandi[..3]).unwrap_err().contains("GANDI_API_KEY"));
    }

    #[test]
    fn servers_have_the_port_of_name_servers_unless_they_name_one() {
        assert_eq!(server_of("127.0.0.1").unwrap(), "127.0.0.1:53");
        assert_eq!(server_of("::1").unwrap(), "[::1]:53");
        assert_eq!(server_of("[::1]:5300").unwrap(), "[::1]:5300");
        assert_eq!(server_of("ns1.example.org:5300").unwrap(), "ns1.example.org:5300");
    }
}
