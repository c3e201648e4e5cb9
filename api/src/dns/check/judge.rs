//! Compares what a server says with where names point.

use shared_types::dns::{AuthorityState, DnsRecord, RecordKind};

use crate::config::dns::Target;

/// Addresses that the answer itself does not hold.
#[derive(Debug, Default)]
pub(super) struct Through {
    /// Of the name that the answer is an alias of.
    pub(super) alias: Vec<DnsRecord>,
    /// Of the target, if it is a name.
    pub(super) target: Vec<DnsRecord>,
}

/// Judges the records that a server has for a name. What counts are the addresses that visitors get, however they are
/// reached: a name may be an alias of the gateways although its own addresses are wanted, or the other way round.
pub(super) fn judge(found: &[DnsRecord], through: &Through, target: &Target) -> AuthorityState {
    if let Target::Name(name) = target
        && found.iter().any(|record| record.kind == RecordKind::Cname && record.value == *name)
    {
        return AuthorityState::Right;
    }
    let wanted = match target {
        Target::Addresses(_) => target.records(),
        Target::Name(_) => through.target.clone(),
    };
    let mut addresses: Vec<_> = found.iter().filter(|record| record.kind != RecordKind::Cname).collect();
    addresses.extend(&through.alias);
    if addresses.is_empty() {
        // An alias of a name without an address is as good as none, but it is there.
        return if found.is_empty() { AuthorityState::Absent } else { AuthorityState::Elsewhere };
    }
    if addresses.iter().any(|address| !wanted.contains(address)) {
        AuthorityState::Elsewhere
    } else if wanted.iter().all(|address| addresses.contains(&address)) {
        AuthorityState::Right
    } else {
        AuthorityState::Partial
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn records(texts: &[&str]) -> Vec<DnsRecord> {
        let one = |text: &&str| match text.parse() {
            Ok(address) => crate::config::dns::record(address),
            Err(_) => DnsRecord { kind: RecordKind::Cname, value: (*text).to_owned() },
        };
        texts.iter().map(one).collect()
    }

    fn addresses() -> Target {
        Target::Addresses(["192.0.2.1", "192.0.2.2", "2001:db8::1"].map(|text| text.parse().unwrap()).to_vec())
    }

    fn judged(found: &[&str], alias: &[&str], target: &[&str], at: &Target) -> AuthorityState {
        judge(&records(found), &Through { alias: records(alias), target: records(target) }, at)
    }

    #[test]
    fn all_gateways_are_right_some_are_partial_and_one_other_is_elsewhere() {
        let of = |found: &[&str]| judged(found, &[], &[], &addresses());
        assert_eq!(of(&["2001:db8::1", "192.0.2.2", "192.0.2.1"]), AuthorityState::Right);
        assert_eq!(of(&["192.0.2.1"]), AuthorityState::Partial);
        assert_eq!(of(&["192.0.2.1", "192.0.2.2", "2001:db8::1", "198.51.100.1"]), AuthorityState::Elsewhere);
        assert_eq!(of(&["198.51.100.1"]), AuthorityState::Elsewhere);
        assert_eq!(of(&[]), AuthorityState::Absent);
    }

    #[test]
    fn an_alias_counts_by_the_addresses_behind_it() {
        let all = ["192.0.2.1", "192.0.2.2", "2001:db8::1"];
        assert_eq!(judged(&["gw.example.net"], &all, &[], &addresses()), AuthorityState::Right);
        assert_eq!(judged(&["gw.example.net"], &["198.51.100.1"], &[], &addresses()), AuthorityState::Elsewhere);
        assert_eq!(judged(&["gw.example.net"], &[], &[], &addresses()), AuthorityState::Elsewhere);
        let name = Target::Name("gw.example.org".to_owned());
        assert_eq!(judged(&["gw.example.org"], &[], &[], &name), AuthorityState::Right);
        assert_eq!(judged(&["192.0.2.1"], &[], &["192.0.2.1"], &name), AuthorityState::Right);
        assert_eq!(judged(&["192.0.2.9"], &[], &["192.0.2.1"], &name), AuthorityState::Elsewhere);
        assert_eq!(judged(&["192.0.2.9"], &[], &[], &name), AuthorityState::Elsewhere);
    }
}
