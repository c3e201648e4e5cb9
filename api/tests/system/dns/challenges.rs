//! Answers to certificate authorities in a real zone: beside records of others, and at all authoritative servers.

use std::sync::Arc;

use ocim::certificates::challenges::{ChallengeError, Dns01, DnsChallenges};
use ocim::instances::names::challenges::ZoneChallenges;

use super::knot::Knot;
use super::{ZONE, key, provider};

fn answer(value: &str) -> Dns01 {
    Dns01 { name: format!("_acme-challenge.a.{ZONE}"), value: value.to_owned() }
}

#[tokio::test]
async fn answers_are_given_by_all_servers_beside_those_of_others_and_removed_alone() {
    let knot = Knot::start_both().await;
    let dns = Arc::new(provider(&knot, &key(), &[ZONE]));
    let before = knot.records();
    let port = ZoneChallenges { dns, resolver: knot.resolver() };
    port.put(&[answer("other")]).await.unwrap_err();
    let all = [answer("one"), answer("two")];
    let ChallengeError::NotYet(words) = port.put(&all).await.unwrap_err() else { panic!("the secondary is late") };
    assert!(words.contains("ns2.example.test: it lacks 2 of 2") && !words.contains("ns1"), "{words}");
    knot.refresh().await;
    let serial = knot.serial("primary");
    port.put(&all).await.unwrap();
    assert_eq!(knot.serial("primary"), serial, "what is there is not written again");
    let texts = |records: Vec<String>| records.iter().filter(|record| record.contains("_acme-challenge")).count();
    assert_eq!(texts(knot.records()), 3);
    port.remove(&all).await.unwrap();
    port.remove(&all).await.unwrap();
    let left = knot.records();
    assert!(texts(left.clone()) == 1 && left.iter().any(|record| record.contains("\"other\"")), "{left:?}");
    port.remove(&[answer("other")]).await.unwrap();
    assert_eq!(knot.records(), before);
}

#[tokio::test]
async fn a_zone_that_is_not_ours_is_named() {
    let knot = Knot::primary_only().await;
    let port = ZoneChallenges { dns: Arc::new(provider(&knot, &key(), &["other.test"])), resolver: knot.resolver() };
    let ChallengeError::Failed(words) = port.put(&[answer("one")]).await.unwrap_err() else { panic!("it is not ours") };
    assert!(words.contains(ZONE), "{words}");
}
