//! The primary server of the zones, by dynamic updates (RFC 2136) signed with a TSIG key (RFC 8945).
//!
//! Each change is one update with prerequisites, which the server applies as a whole or not at all: two processes cannot
//! overwrite each other's records, and an answer that is lost leaves either everything or nothing.
//!
//! Not here: zones that are signed at a provider which accepts no updates, SIG(0), GSS-TSIG.

mod answer;
mod transfer;
mod update;

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::tsig::TsigAlgorithm;
use hickory_proto::rr::{Name, RecordType, TSigVerifier, TSigner};
use secrecy::ExposeSecret as _;
use shared_types::dns::{DnsRecord, RecordKind};

use self::answer::{Answer, Situation};
use self::update::Update;
use crate::config::dns::{KeyAlgorithm, Target, TsigKey};
use crate::dns::owner::{Claim, Owner, not_ours, record_name};
use crate::dns::port::{Credentials, Dns, Owned};
use crate::dns::zones::zone_of;
use crate::dns::{DnsError, wire};

/// How many seconds the clocks may differ.
const FUDGE: u16 = 300;

/// A server that accepts dynamic updates.
pub struct Rfc2136 {
    /// Host and port.
    server: String,
    zones: Vec<String>,
    ttl: u32,
    signer: TSigner,
    key: String,
    algorithm: KeyAlgorithm,
    /// Seconds that this process' clock is ahead of the host's. For tests.
    ahead: i64,
}

impl std::fmt::Debug for Rfc2136 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rfc2136").field("server", &self.server).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Rfc2136 {
    /// `server`: host and port. `zones`: the most specific first.
    ///
    /// # Errors
    /// A message about the key.
    pub fn new(server: String, key: &TsigKey, zones: Vec<String>, ttl: u32) -> Result<Self, String> {
        let algorithm = match key.algorithm {
            KeyAlgorithm::HmacSha256 => TsigAlgorithm::HmacSha256,
            KeyAlgorithm::HmacSha384 => TsigAlgorithm::HmacSha384,
            KeyAlgorithm::HmacSha512 => TsigAlgorithm::HmacSha512,
        };
        let signer = TSigner::new(key.secret.expose_secret().to_vec(), algorithm, wire::name(&key.name)?, FUDGE);
        let signer = signer.map_err(|error| format!("the key {} cannot be used: {error}", key.name))?;
        Ok(Self { server, zones, ttl, signer, key: key.name.clone(), algorithm: key.algorithm, ahead: 0 })
    }

    /// The same, with a clock that is this many seconds ahead. For tests.
    pub fn with_clock_ahead(self, seconds: i64) -> Self {
        Self { ahead: seconds, ..self }
    }

    async fn address(&self) -> Result<SocketAddr, DnsError> {
        let mut found = tokio::net::lookup_host(&self.server).await.map_err(|error| {
            DnsError::Away(format!("the address of {} (OCIM_DNS_SERVER) cannot be found: {error}", self.server))
        })?;
        found.next().ok_or_else(|| DnsError::Away(format!("{} (OCIM_DNS_SERVER) has no address", self.server)))
    }

    fn situation<'a>(&'a self, zone: &'a str) -> Situation<'a> {
        Situation { server: &self.server, zone, key: &self.key, algorithm: self.algorithm.as_str(), now: self.now() }
    }

    /// Seconds since 1970.
    fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        now.saturating_add_signed(self.ahead)
    }

    /// Signs a message.
    fn sign(&self, message: &mut Message) -> Result<(Vec<u8>, TSigVerifier), DnsError> {
        let unwritten = |error| DnsError::Refused(format!("the request to {} cannot be written: {error}", self.server));
        let verifier = message.finalize(&self.signer, self.now()).map_err(unwritten)?;
        let verifier = verifier.ok_or_else(|| DnsError::Refused("the request was not signed".to_owned()))?;
        Ok((message.to_vec().map_err(unwritten)?, verifier))
    }

    /// Sends an update, over TCP.
    async fn send(&self, server: SocketAddr, zone: &str, update: Update) -> Result<Answer, DnsError> {
        let (bytes, mut verifier) = self.sign(&mut update.into_message())?;
        let answer = wire::exchange(server, &bytes).await.map_err(DnsError::Away)?;
        self.situation(zone).read(&answer, &mut verifier)
    }

    /// Whose a name is, by the server that is to be changed.
    async fn claim(&self, server: SocketAddr, zone: &str, name: &str, owner: &Owner) -> Result<Claim, DnsError> {
        let at = parse(&record_name(name))?;
        let answer = self.ask(server, zone, &at, RecordType::TXT).await?;
        Ok(Claim::read(&wire::texts(&answer.answers, &at), owner))
    }

    /// Asks the server itself. A refusal is explained by an update that changes nothing.
    async fn ask(&self, server: SocketAddr, zone: &str, name: &Name, kind: RecordType) -> Result<Message, DnsError> {
        let answer = wire::ask(server, name, kind, false).await.map_err(DnsError::Away)?;
        if [ResponseCode::NoError, ResponseCode::NXDomain].contains(&answer.response_code) {
            return Ok(answer);
        }
        self.send(server, zone, Update::new(&parse(zone)?)).await?;
        Err(DnsError::Refused(format!(
            "{} accepts updates of the zone {zone}, and answers no question about it ({}). Let it answer those of this host.",
            self.server, answer.response_code
        )))
    }

    /// Whether the name has exactly the records of the target.
    async fn is_set(&self, server: SocketAddr, zone: &str, name: &str, target: &Target) -> Result<bool, DnsError> {
        let at = parse(name)?;
        let mut found = Vec::new();
        for &kind in RecordKind::ALL {
            let answer = self.ask(server, zone, &at, update::kind(kind)).await?;
            found.extend(answer.answers.iter().filter(|record| record.name == at).filter_map(update::read));
        }
        found.sort();
        found.dedup();
        Ok(found == target.records())
    }
}

/// Parses a name.
fn parse(name: &str) -> Result<Name, DnsError> {
    wire::name(name).map_err(DnsError::Refused)
}

/// An alias cannot be at the top of a zone, where the SOA record is.
fn check_apex(zone: &str, name: &str, records: &[DnsRecord]) -> Result<(), DnsError> {
    if name != zone || records.iter().all(|record| record.kind != RecordKind::Cname) {
        return Ok(());
    }
    Err(DnsError::Refused(format!(
        "{name} is the top of its zone, which cannot be an alias (CNAME). Put the addresses of the gateways into \
         OCIM_GATEWAY_ADDRESSES in place of a name."
    )))
}

#[async_trait]
impl Dns for Rfc2136 {
    fn kind(&self) -> &'static str {
        "rfc2136"
    }

    async fn set(&self, name: &str, target: &Target, owner: &Owner) -> Result<bool, DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let records = target.records();
        check_apex(zone, name, &records)?;
        let server = self.address().await?;
        let before = match self.claim(server, zone, name, owner).await? {
            Claim::None => None,
            Claim::Own if self.is_set(server, zone, name, target).await? => return Ok(false),
            Claim::Own => Some(owner.text()),
            Claim::OtherInstance(found) => Some(found.text()),
            Claim::Foreign(text) => return Err(DnsError::NotOurs(not_ours(name, Some(&text)))),
        };
        let update = Update::new(&parse(zone)?);
        let (at, mark) = (parse(name)?, parse(&record_name(name))?);
        let update = match &before {
            Some(text) => update.if_text(&mark, text).without(&at, &mark),
            None => update.if_free(&at, &mark, &records),
        };
        let update = update.with(&at, &records, self.ttl)?.with_text(&mark, owner.text(), self.ttl);
        match (self.send(server, zone, update).await?, before) {
            (Answer::Done, _) => Ok(true),
            // Another process of ours may have been faster.
            (Answer::Unmet, None) => match self.claim(server, zone, name, owner).await? {
                Claim::Own => Ok(true),
                Claim::OtherInstance(_) => Err(changed(name)),
                Claim::None => Err(DnsError::NotOurs(not_ours(name, None))),
                Claim::Foreign(text) => Err(DnsError::NotOurs(not_ours(name, Some(&text)))),
            },
            (Answer::Unmet, Some(_)) => Err(changed(name)),
        }
    }

    async fn delete(&self, name: &str, owner: &Owner) -> Result<bool, DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let server = self.address().await?;
        match self.claim(server, zone, name, owner).await? {
            Claim::None => return Ok(false),
            Claim::Own => {}
            Claim::OtherInstance(found) => return Err(DnsError::NotOurs(not_ours(name, Some(&found.text())))),
            Claim::Foreign(text) => return Err(DnsError::NotOurs(not_ours(name, Some(&text)))),
        }
        let (at, mark) = (parse(name)?, parse(&record_name(name))?);
        let update = Update::new(&parse(zone)?).if_text(&mark, &owner.text()).without(&at, &mark);
        match self.send(server, zone, update).await? {
            Answer::Done => Ok(true),
            Answer::Unmet => Err(changed(name)),
        }
    }

    async fn add_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let at = parse(name)?;
        let update = Update::new(&parse(zone)?);
        let update = texts.iter().fold(update, |update, text| update.with_text(&at, text.clone(), self.ttl));
        self.send(self.address().await?, zone, update).await.map(drop)
    }

    async fn remove_texts(&self, name: &str, texts: &[String]) -> Result<(), DnsError> {
        let zone = zone_of(&self.zones, name)?;
        let at = parse(name)?;
        let update =
            texts.iter().fold(Update::new(&parse(zone)?), |update, text| update.without_text(&at, text.clone()));
        self.send(self.address().await?, zone, update).await.map(drop)
    }

    async fn owned(&self) -> Result<Vec<Owned>, DnsError> {
        let server = self.address().await?;
        let mut all = Vec::new();
        for zone in &self.zones {
            all.extend(transfer::owned(self, server, zone).await?);
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all.dedup();
        Ok(all)
    }

    async fn check(&self) -> Result<Credentials, DnsError> {
        let server = self.address().await?;
        for zone in &self.zones {
            self.send(server, zone, Update::new(&parse(zone)?)).await?;
        }
        Ok(Credentials::default())
    }
}

/// The TXT record was changed between the look and the update.
fn changed(name: &str) -> DnsError {
    DnsError::Away(format!("the records of {name} were changed meanwhile by another program; ocim looks again"))
}
