//! Dynamic updates: prerequisites and changes.

use std::net::IpAddr;

use hickory_proto::op::{Message, OpCode, Query};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, TXT};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use shared_types::dns::{DnsRecord, RecordKind};

use crate::config::dns::record;
use crate::dns::{DnsError, wire};

/// An update of one zone, not yet signed.
pub(super) struct Update(Message);

impl Update {
    /// An update that changes nothing.
    pub(super) fn new(zone: &Name) -> Self {
        let mut message = Message::query();
        message.metadata.op_code = OpCode::Update;
        message.metadata.recursion_desired = false;
        message.add_query(Query::query(zone.clone(), RecordType::SOA));
        Self(message)
    }

    pub(super) fn into_message(self) -> Message {
        self.0
    }

    /// Only if the TXT records at this name are exactly this one.
    pub(super) fn if_text(mut self, mark: &Name, text: &str) -> Self {
        self.0.add_answer(Record::from_rdata(mark.clone(), 0, RData::TXT(TXT::new(vec![text.to_owned()]))));
        self
    }

    /// Only if the name has no address and no alias, and there is no TXT record. An alias needs a name without any record.
    pub(super) fn if_free(mut self, at: &Name, mark: &Name, records: &[DnsRecord]) -> Self {
        let kinds = match records.iter().any(|record| record.kind == RecordKind::Cname) {
            true => vec![RecordType::ANY],
            false => RecordKind::ALL.iter().copied().map(kind).collect(),
        };
        for kind in kinds {
            self.0.add_answer(empty(at, kind, DNSClass::NONE));
        }
        self.0.add_answer(empty(mark, RecordType::TXT, DNSClass::NONE));
        self
    }

    /// Removes addresses, alias and TXT record.
    pub(super) fn without(mut self, at: &Name, mark: &Name) -> Self {
        for &own in RecordKind::ALL {
            self.0.add_authority(empty(at, kind(own), DNSClass::ANY));
        }
        self.0.add_authority(empty(mark, RecordType::TXT, DNSClass::ANY));
        self
    }

    /// Adds these records.
    ///
    /// # Errors
    /// [`DnsError::Refused`] if a value is not one of its type.
    pub(super) fn with(mut self, at: &Name, records: &[DnsRecord], ttl: u32) -> Result<Self, DnsError> {
        for record in records {
            self.0.add_authority(Record::from_rdata(at.clone(), ttl, data(record)?));
        }
        Ok(self)
    }

    /// Removes a TXT record with this text alone.
    pub(super) fn without_text(mut self, mark: &Name, text: String) -> Self {
        let mut record = Record::from_rdata(mark.clone(), 0, RData::TXT(TXT::new(vec![text])));
        record.dns_class = DNSClass::NONE;
        self.0.add_authority(record);
        self
    }

    /// Adds a TXT record.
    pub(super) fn with_text(mut self, mark: &Name, text: String, ttl: u32) -> Self {
        self.0.add_authority(Record::from_rdata(mark.clone(), ttl, RData::TXT(TXT::new(vec![text]))));
        self
    }
}

/// A record without data: it stands for all records of this type.
fn empty(at: &Name, kind: RecordType, class: DNSClass) -> Record {
    let mut record = Record::update0(at.clone(), 0, kind);
    record.dns_class = class;
    record
}

/// The type in messages.
pub(super) const fn kind(kind: RecordKind) -> RecordType {
    match kind {
        RecordKind::A => RecordType::A,
        RecordKind::Aaaa => RecordType::AAAA,
        RecordKind::Cname => RecordType::CNAME,
    }
}

fn data(record: &DnsRecord) -> Result<RData, DnsError> {
    let wrong = || DnsError::Refused(format!("{} is no value of a record {}", record.value, record.kind.as_str()));
    Ok(match record.kind {
        RecordKind::A | RecordKind::Aaaa => match record.value.parse().map_err(|_| wrong())? {
            IpAddr::V4(address) => RData::A(A(address)),
            IpAddr::V6(address) => RData::AAAA(AAAA(address)),
        },
        RecordKind::Cname => RData::CNAME(CNAME(wire::name(&record.value).map_err(|_| wrong())?)),
    })
}

/// A record of one of our types.
pub(super) fn read(found: &Record) -> Option<DnsRecord> {
    if let Some(address) = wire::address(found) {
        return Some(record(address));
    }
    let RData::CNAME(name) = &found.data else { return None };
    Some(DnsRecord { kind: RecordKind::Cname, value: wire::text(&name.0) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_update_survives_its_encoding() {
        let (zone, at, mark) =
            (wire::name("example.org"), wire::name("a.example.org"), wire::name("_ocim.a.example.org"));
        let (zone, at, mark) = (zone.unwrap(), at.unwrap(), mark.unwrap());
        let records = [record("192.0.2.1".parse().unwrap()), record("2001:db8::1".parse().unwrap())];
        let update = Update::new(&zone).if_free(&at, &mark, &records).with(&at, &records, 300).unwrap();
        let update = update.with_text(&mark, "heritage=ocim".to_owned(), 300);
        let read_again = wire::read(&update.into_message().to_vec().unwrap()).unwrap();
        assert_eq!(read_again.op_code, OpCode::Update);
        let prerequisites: Vec<_> = read_again.answers.iter().map(|one| (one.record_type(), one.dns_class)).collect();
        let none = |kind| (kind, DNSClass::NONE);
        assert_eq!(
            prerequisites,
            [none(RecordType::A), none(RecordType::AAAA), none(RecordType::CNAME), none(RecordType::TXT)]
        );
        assert_eq!(read_again.authorities.iter().filter_map(read).collect::<Vec<_>>(), records);
        assert_eq!(wire::texts(&read_again.authorities, &mark), ["heritage=ocim"]);
    }

    #[test]
    fn an_alias_needs_a_name_without_any_record() {
        let at = wire::name("a.example.org").unwrap();
        let alias = [DnsRecord { kind: RecordKind::Cname, value: "gw.example.org".to_owned() }];
        let update = Update::new(&at).if_free(&at, &at, &alias).into_message();
        assert_eq!(update.answers.first().unwrap().record_type(), RecordType::ANY);
    }
}
