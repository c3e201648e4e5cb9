//! The results of a check in words.

use shared_types::dns::{AuthorityAnswer, AuthorityState, DnsRecord, NameState};

use crate::config::dns::Target;

/// `A 192.0.2.1, AAAA 2001:db8::1`.
fn list(records: &[DnsRecord]) -> String {
    let records = records.iter().map(|record| format!("{} {}", record.kind.as_str(), record.value));
    records.collect::<Vec<_>>().join(", ")
}

/// What one server says.
pub(super) fn of_server(state: AuthorityState, found: &[DnsRecord], target: &Target) -> String {
    match state {
        AuthorityState::Right => format!("Points at the gateways ({}).", list(found)),
        AuthorityState::Partial => {
            format!("Points at some of the gateways only ({}); all are {}.", list(found), list(&target.records()))
        }
        AuthorityState::Elsewhere => {
            format!("Points elsewhere ({}); the gateways are {}.", list(found), list(&target.records()))
        }
        AuthorityState::Absent => "Has no address for this name.".to_owned(),
        AuthorityState::NotServing => "Does not serve the zone.".to_owned(),
        AuthorityState::Silent => "Does not answer.".to_owned(),
    }
}

/// Adds to the words of servers with an older copy of the zone that they are late.
pub(super) fn name_late(servers: &mut [AuthorityAnswer]) {
    let Some(newest) = servers.iter().filter_map(|server| server.serial).reduce(newer) else { return };
    let source = servers.iter().find(|server| server.serial == Some(newest)).map(|server| server.server.clone());
    let source = source.unwrap_or_default();
    for server in servers.iter_mut().filter(|server| server.state != AuthorityState::Right) {
        if let Some(serial) = server.serial.filter(|&serial| serial != newest) {
            server.words.push_str(&format!(
                " Its copy of the zone is late: it has serial {serial}, {source} has {newest}. If this lasts, check that zone \
                 transfers to it work."
            ));
        }
    }
}

/// The newer of two serial numbers, which may wrap around.
fn newer(one: u32, other: u32) -> u32 {
    if other.wrapping_sub(one) < 1 << 31 { other } else { one }
}

/// The state by all servers, and words with what to do.
pub(super) fn together(name: &str, zone: &str, target: &Target, servers: &[AuthorityAnswer]) -> (NameState, String) {
    let count = |wanted: &[AuthorityState]| servers.iter().filter(|server| wanted.contains(&server.state)).count();
    let (all, right) = (servers.len(), count(&[AuthorityState::Right]));
    let wrong = count(&[AuthorityState::Partial, AuthorityState::Elsewhere]);
    let absent = count(&[AuthorityState::Absent]);
    let set = || format!("Set {} for {name} in the zone {zone}.", list(&target.records()));
    if right == all {
        let servers = if all == 1 {
            "the authoritative server says".to_owned()
        } else {
            format!("all {all} authoritative servers say")
        };
        return (NameState::Right, format!("{name} points at the gateways, {servers}."));
    }
    let others = names(servers, |state| state != AuthorityState::Right);
    if right > 0 {
        let rest =
            format!("{right} of {all} authoritative servers say that {name} points at the gateways, but not {others}.");
        return (NameState::Late, rest);
    }
    if wrong > 0 {
        let where_to = servers.iter().find(|server| !server.found.is_empty()).map(|server| list(&server.found));
        let what = format!("{name} points elsewhere ({}).", where_to.unwrap_or_default());
        return (NameState::Elsewhere, format!("{what} {}", set()));
    }
    if absent > 0 {
        return (NameState::Absent, format!("{name} has no address. {}", set()));
    }
    (NameState::Unknown, format!("No authoritative server of {zone} answers for {name}: {others}."))
}

fn names(servers: &[AuthorityAnswer], wanted: impl Fn(AuthorityState) -> bool) -> String {
    let mut names: Vec<_> =
        servers.iter().filter(|server| wanted(server.state)).map(|server| server.server.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// The servers could not be found.
pub(super) fn unfound(name: &str, why: &str) -> String {
    format!("Whether {name} points at the gateways is not known: {why}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::dns::record;

    fn answer(server: &str, state: AuthorityState, found: &str, serial: u32) -> AuthorityAnswer {
        let found = found.parse().map(|address| vec![record(address)]).unwrap_or_default();
        let target = Target::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        let words = of_server(state, &found, &target);
        AuthorityAnswer { server: server.to_owned(), address: None, state, words, found, serial: Some(serial) }
    }

    fn said(servers: &mut [AuthorityAnswer]) -> (NameState, String) {
        name_late(servers);
        let target = Target::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        together("a.example.org", "example.org", &target, servers)
    }

    #[test]
    fn a_late_secondary_is_named_with_both_serials() {
        let mut servers = [
            answer("ns1.example.org", AuthorityState::Right, "192.0.2.1", 8),
            answer("ns2.example.org", AuthorityState::Absent, "", 7),
        ];
        let (state, words) = said(&mut servers);
        assert_eq!(state, NameState::Late);
        assert_eq!(
            words,
            "1 of 2 authoritative servers say that a.example.org points at the gateways, but not ns2.example.org."
        );
        assert!(servers[1].words.contains("it has serial 7, ns1.example.org has 8"), "{}", servers[1].words);
    }

    #[test]
    fn each_state_says_what_to_do() {
        let (state, words) = said(&mut [answer("ns1", AuthorityState::Absent, "", 1)]);
        assert_eq!(state, NameState::Absent);
        assert_eq!(words, "a.example.org has no address. Set A 192.0.2.1 for a.example.org in the zone example.org.");
        let (state, words) = said(&mut [answer("ns1", AuthorityState::Elsewhere, "198.51.100.7", 1)]);
        assert_eq!(state, NameState::Elsewhere);
        assert!(words.contains("points elsewhere (A 198.51.100.7). Set A 192.0.2.1"), "{words}");
        let silent = [answer("ns1", AuthorityState::Silent, "", 1), answer("ns2", AuthorityState::NotServing, "", 1)];
        let (state, words) = said(&mut silent.clone());
        assert_eq!(state, NameState::Unknown);
        assert!(words.contains("ns1, ns2"), "{words}");
        let (state, words) = said(&mut [answer("ns1", AuthorityState::Right, "192.0.2.1", 1)]);
        assert_eq!(
            (state, words.as_str()),
            (NameState::Right, "a.example.org points at the gateways, the authoritative server says.")
        );
    }

    #[test]
    fn serial_numbers_wrap_around() {
        assert_eq!(newer(1, 2), 2);
        assert_eq!(newer(u32::MAX, 1), 1);
        assert_eq!(newer(5, 5), 5);
    }
}
