//! Every cause of a refusal has its own words.

use ocim::config::dns::KeyAlgorithm;
use ocim::dns::DnsError;
use ocim::dns::port::Dns;

use super::knot::{self, Knot};
use super::{NAME, ZONE, key, owner, provider, target, tsig};

/// What `set` and `check` say, which must be the same refusal.
async fn refused(dns: &impl Dns, name: &str) -> String {
    let (set, check) = (dns.set(name, &target(), &owner(7)).await, dns.check().await);
    let (Err(DnsError::Refused(set)), Err(DnsError::Refused(check))) = (set, check) else { panic!("not refused") };
    assert_eq!(set, check);
    set
}

#[tokio::test]
async fn wrong_keys_are_told_apart() {
    let knot = Knot::primary_only().await;
    let before = knot.records();
    let of = |name: &str, algorithm, secret: &[u8]| provider(&knot, &tsig(name, algorithm, secret), &[ZONE]);
    let unknown = refused(&of("other", KeyAlgorithm::HmacSha256, knot::SECRET), NAME).await;
    assert!(unknown.contains("does not accept the key other") && unknown.contains("OCIM_DNS_KEY_NAME"), "{unknown}");
    let algorithm = refused(&of("ocim", KeyAlgorithm::HmacSha512, knot::SECRET), NAME).await;
    assert!(algorithm.contains("hmac-sha512") && algorithm.contains("OCIM_DNS_KEY_ALGORITHM"), "{algorithm}");
    let secret = refused(&of("ocim", KeyAlgorithm::HmacSha256, b"wrong"), NAME).await;
    assert!(secret.contains("BADSIG") && secret.contains("OCIM_DNS_KEY_SECRET"), "{secret}");
    let rights = refused(&of("reader", KeyAlgorithm::HmacSha256, knot::READERS), NAME).await;
    // knot tells a key without the right like one that it does not know.
    assert!(rights.contains("the key reader") && rights.contains("access list"), "{rights}");
    assert_eq!(knot.records(), before);
}

#[tokio::test]
async fn a_clock_that_is_off_is_printed_with_its_difference() {
    let knot = Knot::primary_only().await;
    for (seconds, word) in [(1000, "ahead of"), (-1000, "behind")] {
        let words = refused(&provider(&knot, &key(), &[ZONE]).with_clock_ahead(seconds), NAME).await;
        assert!(words.contains("BADTIME") && words.contains(word), "{words}");
        let printed: Vec<_> = words.split(' ').filter_map(|word| word.parse::<i64>().ok()).collect();
        assert!(printed.first().is_some_and(|found| (found - 1000).abs() < 30), "{words}");
    }
    assert!(provider(&knot, &key(), &[ZONE]).with_clock_ahead(200).check().await.is_ok());
}

#[tokio::test]
async fn a_zone_that_is_not_there_and_a_name_outside_of_all_zones() {
    let knot = Knot::primary_only().await;
    let dns = provider(&knot, &key(), &["elsewhere.test"]);
    let words = refused(&dns, "a.elsewhere.test").await;
    assert!(words.contains("not the primary server of the zone elsewhere.test"), "{words}");
    let DnsError::NoZone(words) = dns.set(NAME, &target(), &owner(7)).await.unwrap_err() else { panic!() };
    assert!(words.contains(NAME) && words.contains("OCIM_DNS_ZONES"), "{words}");
}

#[tokio::test]
async fn a_secondary_is_not_a_place_for_updates() {
    let knot = Knot::start_both().await;
    let secondary = format!("127.0.0.2:{}", knot.primary().port());
    let dns =
        ocim::dns::providers::rfc2136::Rfc2136::new(secondary.clone(), &key(), vec![ZONE.to_owned()], 60).unwrap();
    let words = refused(&dns, NAME).await;
    assert!(words.contains(&secondary), "{words}");
}

#[tokio::test]
async fn a_server_that_is_away_is_no_refusal() {
    let address = crate::app::ports::reserved().to_string();
    let dns = ocim::dns::providers::rfc2136::Rfc2136::new(address.clone(), &key(), vec![ZONE.to_owned()], 60).unwrap();
    let DnsError::Away(words) = dns.check().await.unwrap_err() else { panic!() };
    assert!(words.contains(&address), "{words}");
}
