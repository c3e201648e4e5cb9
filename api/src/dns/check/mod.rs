//! Whether a name points at the gateways, by all authoritative servers of its zone. No cache is asked, so that the
//! result is what visitors get once the caches have expired.

mod judge;
mod texts;
mod words;

use std::net::SocketAddr;

use futures::future::join_all;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use shared_types::dns::{AuthorityAnswer, AuthorityState, DnsRecord, NameState, RecordKind};

use self::judge::judge;
pub use self::texts::check_texts;
use super::resolver::{Authority, Resolver};
use super::wire;
use crate::config::dns::{Target, record};

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The zone; none: it was not found.
    pub zone: Option<String>,
    /// By all servers together.
    pub state: NameState,
    /// The same in words, with what to do.
    pub words: String,
    /// What each server said, by name and address.
    pub servers: Vec<AuthorityAnswer>,
}

/// Asks all authoritative servers of a name's zone whether it points at the target.
pub async fn check(resolver: &Resolver, name: &str, target: &Target) -> Checked {
    match ask_all(resolver, name, target).await {
        Ok((zone, servers)) => {
            let (state, words) = words::together(name, &zone, target, &servers);
            Checked { zone: Some(zone), state, words, servers }
        }
        Err(why) => {
            Checked { zone: None, state: NameState::Unknown, words: words::unfound(name, &why), servers: Vec::new() }
        }
    }
}

async fn ask_all(resolver: &Resolver, name: &str, target: &Target) -> Result<(String, Vec<AuthorityAnswer>), String> {
    let name = wire::name(name)?;
    let zone = resolver.zone_of(&name).await?;
    let apex = wire::name(&zone.name)?;
    let asked = zone.servers.iter().map(|server| ask_server(resolver, server, &apex, &name, target));
    let mut servers: Vec<_> = join_all(asked).await.into_iter().flatten().collect();
    words::name_late(&mut servers);
    Ok((zone.name, servers))
}

async fn ask_server(
    resolver: &Resolver,
    server: &Authority,
    apex: &Name,
    name: &Name,
    target: &Target,
) -> Vec<AuthorityAnswer> {
    if server.addresses.is_empty() {
        return vec![AuthorityAnswer {
            server: server.name.clone(),
            address: None,
            state: AuthorityState::Silent,
            words: "The server has no address. Correct the NS records of the zone.".to_owned(),
            found: Vec::new(),
            serial: None,
        }];
    }
    let asked = server.addresses.iter().map(|&address| ask_one(resolver, &server.name, address, apex, name, target));
    join_all(asked).await
}

async fn ask_one(
    resolver: &Resolver,
    server: &str,
    address: SocketAddr,
    apex: &Name,
    name: &Name,
    target: &Target,
) -> AuthorityAnswer {
    let (v4, v6, soa) = tokio::join!(
        wire::ask(address, name, RecordType::A, false),
        wire::ask(address, name, RecordType::AAAA, false),
        wire::ask(address, apex, RecordType::SOA, false)
    );
    let serial = soa.ok().and_then(|answer| serial(&answer));
    let mut answer = AuthorityAnswer {
        server: server.to_owned(),
        address: Some(address.ip().to_string()),
        state: AuthorityState::Silent,
        words: String::new(),
        found: Vec::new(),
        serial,
    };
    match v4.and_then(|v4| Ok([v4, v6?])) {
        Err(why) => answer.words = format!("{why}."),
        Ok(answers) => match answers.iter().find_map(not_serving) {
            Some(words) => (answer.state, answer.words) = (AuthorityState::NotServing, words),
            None => {
                answer.found = found(&answers);
                let through = through(resolver, &answer.found, target).await;
                answer.state = judge(&answer.found, &through, target);
                answer.words = words::of_server(answer.state, &answer.found, target);
            }
        },
    }
    answer
}

fn serial(answer: &Message) -> Option<u32> {
    answer.answers.iter().find_map(|record| {
        let RData::SOA(soa) = &record.data else { return None };
        Some(soa.serial)
    })
}

/// Why an answer says nothing about the name, if it does not.
fn not_serving(answer: &Message) -> Option<String> {
    let code = answer.response_code;
    if ![ResponseCode::NoError, ResponseCode::NXDomain].contains(&code) {
        return Some(format!(
            "The server refuses to answer for this zone ({code}). Configure the zone there, or correct the NS records."
        ));
    }
    (!answer.authoritative).then(|| {
        "The server answers, but not as an authority for this zone: the zone has expired there, or the NS records are wrong.".to_owned()
    })
}

/// The addresses and the alias in the answers, sorted.
fn found(answers: &[Message]) -> Vec<DnsRecord> {
    let records = answers.iter().flat_map(|answer| &answer.answers);
    let mut found: Vec<_> = records
        .filter_map(|one| match wire::address(one) {
            Some(address) => Some(record(address)),
            None => alias(&one.data),
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

fn alias(data: &RData) -> Option<DnsRecord> {
    let RData::CNAME(name) = data else { return None };
    Some(DnsRecord { kind: RecordKind::Cname, value: wire::text(&name.0) })
}

/// The addresses behind an alias that the server does not give, and behind the target's own name.
async fn through(resolver: &Resolver, found: &[DnsRecord], target: &Target) -> judge::Through {
    let mut through = judge::Through::default();
    if let Target::Name(name) = target
        && !found.iter().any(|record| record.value == *name)
    {
        through.target = addresses(resolver, name).await;
    }
    let has_address = found.iter().any(|record| record.kind != RecordKind::Cname);
    if let Some(alias) = found.iter().find(|record| record.kind == RecordKind::Cname)
        && !has_address
    {
        through.alias = addresses(resolver, &alias.value).await;
    }
    through
}

/// The addresses of a name; none if it has none, or the resolver does not answer.
async fn addresses(resolver: &Resolver, name: &str) -> Vec<DnsRecord> {
    let Ok(name) = wire::name(name) else { return Vec::new() };
    resolver.addresses(&name).await.unwrap_or_default().into_iter().map(record).collect()
}
