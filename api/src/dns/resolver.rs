//! Questions to a resolver: the authoritative servers of a name's zone, and addresses.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::wire;
use crate::config::dns::PORT;

/// The system's list of resolvers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// How long the servers of a zone are remembered, so that many names of one zone cost few questions.
const REMEMBERED: Duration = Duration::from_secs(60);

/// An authoritative server of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    /// Its name.
    pub(super) name: String,
    /// Its addresses with the port that is asked; none: the name has none.
    pub(super) addresses: Vec<SocketAddr>,
}

/// A zone and its authoritative servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Zone {
    /// The zone's name.
    pub(super) name: String,
    /// The servers in its NS records, in alphabetical order; at least one.
    pub(super) servers: Vec<Authority>,
}

/// Finds authoritative servers by a resolver, which follows the delegations from the root.
#[derive(Debug)]
pub struct Resolver {
    configured: Option<SocketAddr>,
    port: u16,
    zones: Mutex<HashMap<String, (Instant, Zone)>>,
}

impl Resolver {
    /// Asks this resolver; none: the first of `/etc/resolv.conf`, which is read each time.
    pub fn new(configured: Option<SocketAddr>) -> Self {
        Self { configured, port: PORT, zones: Mutex::default() }
    }

    /// The same, with authoritative servers at another port than 53. For tests.
    pub fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// The zone that holds a name, by the SOA records that the resolver knows.
    ///
    /// # Errors
    /// Says what could not be found, and at which resolver.
    pub(super) async fn zone_of(&self, name: &Name) -> Result<Zone, String> {
        let resolver = self.resolver().await?;
        let mut at = name.clone();
        while !at.is_root() {
            let answer = wire::ask(resolver, &at, RecordType::SOA, true).await?;
            if ![ResponseCode::NoError, ResponseCode::NXDomain].contains(&answer.response_code) {
                return Err(format!(
                    "the resolver {resolver} cannot find the zone of {}: {}. Check its delegation at the registrar, or set \
                     OCIM_DNS_RESOLVER to another resolver",
                    wire::text(name),
                    answer.response_code
                ));
            }
            let soas = answer
                .answers
                .iter()
                .chain(&answer.authorities)
                .filter(|record| record.record_type() == RecordType::SOA);
            // The SOA record of an alias' target is of another zone.
            if let Some(soa) = soas.map(|record| &record.name).find(|zone| zone.zone_of(&at) && !zone.is_root()) {
                return self.servers_of(resolver, soa).await;
            }
            at = at.base_name();
        }
        Err(format!(
            "{} is in no zone that the resolver {resolver} knows. Register the domain, or correct the name",
            wire::text(name)
        ))
    }

    /// The addresses of a name, through aliases.
    ///
    /// # Errors
    /// Says that the resolver does not answer.
    pub(super) async fn addresses(&self, name: &Name) -> Result<Vec<IpAddr>, String> {
        addresses(self.resolver().await?, name).await
    }

    async fn resolver(&self) -> Result<SocketAddr, String> {
        match self.configured {
            Some(configured) => Ok(configured),
            None => system(Path::new(RESOLV_CONF)).await,
        }
    }

    async fn servers_of(&self, resolver: SocketAddr, zone: &Name) -> Result<Zone, String> {
        let name = wire::text(zone);
        if let Some((at, known)) = self.zones.lock().await.get(&name)
            && at.elapsed() < REMEMBERED
        {
            return Ok(known.clone());
        }
        let answer = wire::ask(resolver, zone, RecordType::NS, true).await?;
        let mut names: Vec<_> = answer.answers.iter().filter_map(|record| ns(&record.data).cloned()).collect();
        names.sort();
        names.dedup();
        if names.is_empty() {
            return Err(format!("the zone {name} has no NS records by the resolver {resolver}"));
        }
        let servers = join_all(names.iter().map(|server| self.authority(resolver, server))).await;
        let found = Zone { name: name.clone(), servers };
        // Servers without an address are looked up again at once.
        if found.servers.iter().all(|server| !server.addresses.is_empty()) {
            self.zones.lock().await.insert(name, (Instant::now(), found.clone()));
        }
        Ok(found)
    }

    async fn authority(&self, resolver: SocketAddr, server: &Name) -> Authority {
        let found = addresses(resolver, server).await.unwrap_or_default();
        let addresses = found.into_iter().map(|address| SocketAddr::new(address, self.port)).collect();
        Authority { name: wire::text(server), addresses }
    }
}

fn ns(data: &RData) -> Option<&Name> {
    let RData::NS(name) = data else { return None };
    Some(&name.0)
}

async fn addresses(resolver: SocketAddr, name: &Name) -> Result<Vec<IpAddr>, String> {
    let (v4, v6) =
        tokio::join!(wire::ask(resolver, name, RecordType::A, true), wire::ask(resolver, name, RecordType::AAAA, true));
    let mut found: Vec<_> = [v4?, v6?].iter().flat_map(|answer| &answer.answers).filter_map(wire::address).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// The first resolver of the file.
async fn system(file: &Path) -> Result<SocketAddr, String> {
    let text = tokio::fs::read_to_string(file).await.unwrap_or_default();
    first(&text).map(|address| SocketAddr::new(address, PORT)).ok_or_else(|| {
        format!("{} names no resolver; set OCIM_DNS_RESOLVER to the address and port of one", file.display())
    })
}

fn first(text: &str) -> Option<IpAddr> {
    let mut servers = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    // An address with a zone (fe80::1%eth0) cannot be asked.
    servers.find_map(|address| address.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_resolver_with_a_plain_address_is_asked() {
        let text =
            "# made by hand\nsearch example.org\nnameserver fe80::1%eth0\nnameserver 192.0.2.53\nnameserver ::1\n";
        assert_eq!(first(text), Some("192.0.2.53".parse().unwrap()));
        assert_eq!(first("options edns0\n"), None);
    }

    #[tokio::test]
    async fn a_missing_list_of_resolvers_names_the_setting() {
        let words = system(Path::new("/nonexistent/resolv.conf")).await.unwrap_err();
        assert!(words.contains("OCIM_DNS_RESOLVER"), "{words}");
    }
}
