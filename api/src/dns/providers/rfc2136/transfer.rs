//! Transfers of a zone (AXFR), in which our TXT records are found.

use std::net::SocketAddr;

use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{RData, RecordType};

use super::{Rfc2136, parse};
use crate::dns::DnsError;
use crate::dns::owner::{Owner, subject};
use crate::dns::port::Owned;
use crate::dns::wire::{self, Stream};

/// The most messages of one transfer that are read; each has up to 64 KiB.
const MOST_MESSAGES: usize = 10_000;

/// The names in a zone that have a TXT record of ocim.
pub(super) async fn owned(server: &Rfc2136, address: SocketAddr, zone: &str) -> Result<Vec<Owned>, DnsError> {
    let mut message = Message::query();
    message.metadata.recursion_desired = false;
    message.add_query(Query::query(parse(zone)?, RecordType::AXFR));
    let (bytes, mut verifier) = server.sign(&mut message)?;
    let mut stream = Stream::open(address, &bytes).await.map_err(DnsError::Away)?;
    let (mut found, mut soas) = (Vec::new(), 0);
    for _ in 0..MOST_MESSAGES {
        let bytes = stream.next().await.map_err(DnsError::Away)?;
        server.situation(zone).read(&bytes, &mut verifier)?;
        let answer = wire::read(&bytes).ok_or_else(|| DnsError::Away(wire::unreadable(address)))?;
        for record in &answer.answers {
            if let RData::SOA(_) = &record.data {
                soas += 1;
            }
            let name = wire::text(&record.name);
            if let Some(name) = subject(&name) {
                let texts = wire::texts(std::slice::from_ref(record), &record.name);
                found.extend(
                    texts.iter().filter_map(|text| Some(Owned { name: name.to_owned(), owner: Owner::parse(text)? })),
                );
            }
        }
        // The SOA record begins the transfer, and ends it.
        if soas >= 2 {
            return Ok(found);
        }
        if answer.answers.is_empty() {
            break;
        }
    }
    Err(DnsError::Away(format!("the transfer of the zone {zone} from {address} was cut off")))
}
