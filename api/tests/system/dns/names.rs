//! Whether names point at the gateways, by all authoritative servers.

use ocim::dns::check::check;
use ocim::dns::port::Dns;
use shared_types::dns::{AuthorityState, NameState};

use super::knot::Knot;
use super::{NAME, ZONE, key, owner, provider, target};

#[tokio::test]
async fn a_secondary_that_is_late_is_named_until_it_has_the_zone() {
    let knot = Knot::start_both().await;
    let resolver = knot.resolver();
    let absent = check(&resolver, NAME, &target()).await;
    assert_eq!((absent.state, absent.zone.as_deref()), (NameState::Absent, Some(ZONE)));
    assert!(absent.words.contains("Set A 192.0.2.1, AAAA 2001:db8::1"), "{}", absent.words);
    provider(&knot, &key(), &[ZONE]).set(NAME, &target(), &owner(7)).await.unwrap();
    let late = check(&resolver, NAME, &target()).await;
    assert_eq!(late.state, NameState::Late);
    assert!(late.words.contains("but not ns2.example.test"), "{}", late.words);
    let states: Vec<_> = late.servers.iter().map(|server| (server.server.as_str(), server.state)).collect();
    assert_eq!(states, [("ns1.example.test", AuthorityState::Right), ("ns2.example.test", AuthorityState::Absent)]);
    assert!(late.servers[1].words.contains("Its copy of the zone is late"), "{}", late.servers[1].words);
    knot.refresh().await;
    let right = check(&resolver, NAME, &target()).await;
    assert_eq!(right.state, NameState::Right, "{right:?}");
    assert!(right.words.contains("all 2 authoritative servers"), "{}", right.words);
}

#[tokio::test]
async fn a_server_that_is_silent_is_named() {
    let knot = Knot::primary_only().await;
    provider(&knot, &key(), &[ZONE]).set(NAME, &target(), &owner(7)).await.unwrap();
    let found = check(&knot.resolver(), NAME, &target()).await;
    assert_eq!(found.state, NameState::Late);
    assert_eq!(found.servers[1].state, AuthorityState::Silent);
    assert!(found.words.contains("ns2.example.test"), "{}", found.words);
}

#[tokio::test]
async fn a_wildcard_counts_and_another_address_is_shown() {
    let knot = Knot::start_both().await;
    let resolver = knot.resolver();
    assert_eq!(check(&resolver, "pr17.wild.example.test", &target()).await.state, NameState::Right);
    let elsewhere = check(&resolver, "foreign.example.test", &target()).await;
    assert_eq!(elsewhere.state, NameState::Elsewhere);
    assert!(elsewhere.words.contains("points elsewhere (A 198.51.100.7)"), "{}", elsewhere.words);
    let unknown = check(&resolver, "campus.elsewhere.test", &target()).await;
    assert_eq!((unknown.state, unknown.zone), (NameState::Unknown, None));
    assert!(unknown.words.contains("cannot find the zone of"), "{}", unknown.words);
}
