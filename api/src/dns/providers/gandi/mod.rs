//! Gandi LiveDNS, version 5, with a personal access token.
//!
//! LiveDNS has no prerequisites: the TXT record is written before the records it claims and removed after them, so that a
//! lost answer never leaves records without an owner.

mod api;

use async_trait::async_trait;
use chrono::NaiveDate;
use secrecy::SecretString;
use shared_types::dns::{DnsRecord, RecordKind};
use url::Url;

use self::api::{Api, RecordSet};
use crate::config::dns::Target;
use crate::dns::DnsError;
use crate::dns::owner::{Claim, Owner, not_ours, record_name, subject};
use crate::dns::port::{Credentials, Dns, Owned};
use crate::dns::zones::zone_of;

/// The lowest time that LiveDNS lets resolvers keep a record, in seconds.
const LEAST_TTL: u32 = 300;

/// How to reach LiveDNS.
#[derive(Debug)]
pub struct Account {
    /// The beginning of each address.
    pub url: Url,
    /// The personal access token.
    pub token: SecretString,
    /// The day when it expires, as the settings say.
    pub expires: Option<NaiveDate>,
}

/// Zones at Gandi.
#[derive(Debug)]
pub struct Gandi {
    api: Api,
    zones: Vec<String>,
    ttl: u32,
    expires: Option<NaiveDate>,
}

impl Gandi {
    /// `zones`: the most specific first.
    ///
    /// # Errors
    /// A message if no HTTP client can be made.
    pub fn new(Account { url, token, expires }: Account, zones: Vec<String>, ttl: u32) -> Result<Self, String> {
        Ok(Self { api: Api::new(url, token)?, zones, ttl: ttl.max(LEAST_TTL), expires })
    }

    /// The name as LiveDNS writes it: relative to its zone.
    fn relative(zone: &str, name: &str) -> String {
        match name.strip_suffix(zone).map(|rest| rest.trim_end_matches('.')) {
            None | Some("") => "@".to_owned(),
            Some(rest) => rest.to_owned(),
        }
    }

    /// Our types of records at a name.
    async fn records(&self, zone: &str, name: &str) -> Result<Vec<RecordSet>, DnsError> {
        let mut sets = self.api.at(zone, &Self::relative(zone, name)).await?;
        sets.retain(|set| kind(&set.rrset_type).is_some());
        Ok(sets)
    }

    async fn claim(&self, zone: &str, name: &str, owner: &Owner) -> Result<Claim, DnsError> {
        let sets = self.api.at(zone, &Self::relative(zone, &record_name(name))).await?;
        let texts = sets.into_iter().filter(|set| set.rrset_type == "TXT").flat_map(|set| set.rrset_values);
        let texts: Vec<_> = texts.map(|text| text.trim_matches('"').to_owned()).collect();
        Ok(Claim::read(&texts, owner))
    }

    /// Changes the TXT records of a name. LiveDNS has no way to change one of several.
    async fn change_texts(&self, name: &str, change: impl FnOnce(&mut Vec<String>) + Send) -> Result<(), DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let at = Self::relative(zone, name);
        let sets = self.api.at(zone, &at).await?.into_iter().filter(|set| set.rrset_type == "TXT");
        let before: Vec<_> = sets.flat_map(|set| set.rrset_values).collect();
        let mut values = before.clone();
        change(&mut values);
        match values.is_empty() {
            _ if values == before => Ok(()),
            true => self.api.delete(zone, &at, "TXT").await,
            false => self.api.put(zone, &at, "TXT", &values, self.ttl).await,
        }
    }

    async fn write(&self, zone: &str, name: &str, target: &Target, before: &[RecordSet]) -> Result<(), DnsError> {
        let at = Self::relative(zone, name);
        let wanted = sets(target);
        // An alias and addresses exclude each other, so what is not wanted goes first.
        for set in before.iter().filter(|set| wanted.iter().all(|(kind, _)| kind.as_str() != set.rrset_type)) {
            self.api.delete(zone, &at, &set.rrset_type).await?;
        }
        for (kind, values) in &wanted {
            self.api.put(zone, &at, kind.as_str(), values, self.ttl).await?;
        }
        Ok(())
    }
}

/// A text as LiveDNS writes it.
fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The values of each type, as LiveDNS writes them.
fn sets(target: &Target) -> Vec<(RecordKind, Vec<String>)> {
    let records = target.records();
    let of = |kind: RecordKind| {
        let own = records.iter().filter(move |record| record.kind == kind);
        own.map(
            move |record| if kind == RecordKind::Cname { format!("{}.", record.value) } else { record.value.clone() },
        )
    };
    let all = RecordKind::ALL.iter().map(|&kind| (kind, of(kind).collect::<Vec<_>>()));
    all.filter(|(_, values)| !values.is_empty()).collect()
}

fn kind(word: &str) -> Option<RecordKind> {
    RecordKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}

fn read(zone: &str, sets: &[RecordSet]) -> Vec<DnsRecord> {
    let mut records: Vec<_> = sets
        .iter()
        .filter_map(|set| Some((kind(&set.rrset_type)?, &set.rrset_values)))
        .flat_map(|(kind, values)| {
            values.iter().map(move |value| DnsRecord { kind, value: absolute(zone, kind, value) })
        })
        .collect();
    records.sort();
    records
}

/// A value without a dot at its end is a name relative to the zone.
fn absolute(zone: &str, kind: RecordKind, value: &str) -> String {
    match (kind, value.strip_suffix('.')) {
        (RecordKind::Cname, None) => format!("{value}.{zone}"),
        (RecordKind::Cname, Some(name)) => name.to_ascii_lowercase(),
        (RecordKind::A | RecordKind::Aaaa, _) => {
            value.parse::<std::net::IpAddr>().map_or_else(|_| value.to_owned(), |address| address.to_string())
        }
    }
}

#[async_trait]
impl Dns for Gandi {
    fn kind(&self) -> &'static str {
        "gandi"
    }

    async fn set(&self, name: &str, target: &Target, owner: &Owner) -> Result<bool, DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let claim = self.claim(zone, name, owner).await?;
        let before = self.records(zone, name).await?;
        match claim {
            Claim::Foreign(text) => return Err(DnsError::NotOurs(not_ours(name, Some(&text)))),
            Claim::None if !before.is_empty() => return Err(DnsError::NotOurs(not_ours(name, None))),
            Claim::Own if read(zone, &before) == target.records() => return Ok(false),
            Claim::Own => {}
            Claim::None | Claim::OtherInstance(_) => {
                let mark = Self::relative(zone, &record_name(name));
                self.api.put(zone, &mark, "TXT", &[quoted(&owner.text())], self.ttl).await?;
            }
        }
        self.write(zone, name, target, &before).await?;
        Ok(true)
    }

    async fn delete(&self, name: &str, owner: &Owner) -> Result<bool, DnsError> {
        let zone = zone_of(&self.zones, name)?;
        match self.claim(zone, name, owner).await? {
            Claim::None => return Ok(false),
            Claim::Own => {}
            Claim::OtherInstance(found) => return Err(DnsError::NotOurs(not_ours(name, Some(&found.text())))),
            Claim::Foreign(text) => return Err(DnsError::NotOurs(not_ours(name, Some(&text)))),
        }
        for set in self.records(zone, name).await? {
            self.api.delete(zone, &Self::relative(zone, name), &set.rrset_type).await?;
        }
        self.api.delete(zone, &Self::relative(zone, &record_name(name)), "TXT").await?;
        Ok(true)
    }

    async fn add_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError> {
        self.change_texts(name, |values| {
            for text in texts.iter().map(|text| quoted(text)) {
                if !values.contains(&text) {
                    values.push(text);
                }
            }
        })
        .await
    }

    async fn remove_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError> {
        let gone: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
        self.change_texts(name, |values| values.retain(|value| !gone.contains(value))).await
    }

    async fn owned(&self) -> Result<Vec<Owned>, DnsError> {
        let mut all = Vec::new();
        for zone in &self.zones {
            for set in self.api.all(zone).await?.into_iter().filter(|set| set.rrset_type == "TXT") {
                let full = format!("{}.{zone}", set.rrset_name);
                if let Some(name) = subject(&full) {
                    let owners = set.rrset_values.iter().filter_map(|text| Owner::parse(text));
                    all.extend(owners.map(|owner| Owned { name: name.trim_start_matches("@.").to_owned(), owner }));
                }
            }
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    async fn check(&self) -> Result<Credentials, DnsError> {
        for zone in &self.zones {
            self.api.check(zone).await?;
        }
        Ok(Credentials { expires: self.expires })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_relative_to_their_zone() {
        assert_eq!(Gandi::relative("example.org", "example.org"), "@");
        assert_eq!(Gandi::relative("example.org", "a.b.example.org"), "a.b");
        assert_eq!(Gandi::relative("example.org", &record_name("example.org")), "_ocim");
    }

    #[test]
    fn values_are_compared_in_one_form() {
        let set = |kind: &str, values: &[&str]| RecordSet {
            rrset_name: "a".to_owned(),
            rrset_type: kind.to_owned(),
            rrset_values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        let target = Target::Addresses(vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()]);
        let found = [set("AAAA", &["2001:0db8:0:0::1"]), set("A", &["192.0.2.1"])];
        assert_eq!(read("example.org", &found), target.records());
        let target = Target::Name("gw.example.org".to_owned());
        assert_eq!(sets(&target), [(RecordKind::Cname, vec!["gw.example.org.".to_owned()])]);
        for value in ["gw", "GW.example.org."] {
            assert_eq!(read("example.org", &[set("CNAME", &[value])]), target.records());
        }
    }
}
