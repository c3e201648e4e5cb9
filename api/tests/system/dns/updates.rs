//! Records at a real server: set, changed, removed, never touched if they are not ours.

use ocim::config::dns::Target;
use ocim::dns::DnsError;
use ocim::dns::port::{Dns, Owned};
use shared_types::InstanceId;

use super::knot::Knot;
use super::{NAME, ZONE, key, owner, provider, target};

#[tokio::test]
async fn a_name_is_set_once_changed_and_removed_with_its_text() {
    let knot = Knot::primary_only().await;
    let dns = provider(&knot, &key(), &[ZONE]);
    let (before, serial) = (knot.records(), knot.serial("primary"));
    dns.check().await.unwrap();
    assert_eq!(knot.serial("primary"), serial, "a check changes nothing");
    assert!(dns.set(NAME, &target(), &owner(7)).await.unwrap());
    let records = knot.records().join("\n");
    for part in ["A 192.0.2.1", "AAAA 2001:db8::1", "\"heritage=ocim,installation=9f3c,instance=7\""] {
        assert!(records.contains(part), "{records}");
    }
    let serial = knot.serial("primary");
    assert!(!dns.set(NAME, &target(), &owner(7)).await.unwrap());
    assert_eq!(knot.serial("primary"), serial, "what is right is not written again");
    // From addresses to an alias, and back to another address.
    assert!(dns.set(NAME, &Target::Name("gw.example.net".to_owned()), &owner(7)).await.unwrap());
    let records = knot.records().join("\n");
    assert!(records.contains("CNAME gw.example.net.") && !records.contains("campus.example.test. 60 A"), "{records}");
    assert!(dns.set(NAME, &Target::Addresses(vec!["192.0.2.9".parse().unwrap()]), &owner(7)).await.unwrap());
    assert!(!knot.records().join("\n").contains("CNAME"));
    assert!(dns.delete(NAME, &owner(7)).await.unwrap());
    assert_eq!(knot.records(), before);
    assert!(!dns.delete(NAME, &owner(7)).await.unwrap());
}

#[tokio::test]
async fn records_of_others_are_never_touched() {
    let knot = Knot::primary_only().await;
    let dns = provider(&knot, &key(), &[ZONE]);
    let before = knot.records();
    for (name, part) in
        [("foreign.example.test", "ocim has not written"), ("shared.example.test", "installation=other")]
    {
        for target in [target(), Target::Name("gw.example.net".to_owned())] {
            let DnsError::NotOurs(words) = dns.set(name, &target, &owner(7)).await.unwrap_err() else {
                panic!("{name}")
            };
            assert!(words.contains(name) && words.contains(part), "{words}");
        }
    }
    assert!(!dns.delete("foreign.example.test", &owner(7)).await.unwrap());
    assert!(matches!(dns.delete("shared.example.test", &owner(7)).await, Err(DnsError::NotOurs(_))));
    // An alias cannot stand beside another record, and addresses can.
    let alias = Target::Name("gw.example.net".to_owned());
    assert!(matches!(dns.set("texts.example.test", &alias, &owner(7)).await, Err(DnsError::NotOurs(_))));
    assert_eq!(knot.records(), before);
    assert!(dns.set("texts.example.test", &target(), &owner(7)).await.unwrap());
    assert!(dns.delete("texts.example.test", &owner(7)).await.unwrap());
    assert_eq!(knot.records(), before, "the text of another stays");
}

#[tokio::test]
async fn a_name_may_go_to_another_instance_and_its_first_one_does_not_remove_it() {
    let knot = Knot::primary_only().await;
    let dns = provider(&knot, &key(), &[ZONE]);
    dns.set(NAME, &target(), &owner(7)).await.unwrap();
    assert!(dns.set(NAME, &target(), &owner(8)).await.unwrap());
    assert!(matches!(dns.delete(NAME, &owner(7)).await, Err(DnsError::NotOurs(_))));
    let owned = dns.owned().await.unwrap();
    let ours: Vec<_> = owned.iter().filter(|owned| owned.owner.installation == "9f3c").collect();
    assert_eq!(ours, [&Owned { name: NAME.to_owned(), owner: owner(8) }]);
    assert!(owned.iter().any(|owned| owned.name == "shared.example.test" && owned.owner.instance == InstanceId(1)));
}

#[tokio::test]
async fn the_top_of_a_zone_cannot_be_an_alias() {
    let knot = Knot::primary_only().await;
    let dns = provider(&knot, &key(), &[ZONE]);
    let alias = Target::Name("gw.example.net".to_owned());
    let words = dns.set(ZONE, &alias, &owner(7)).await.unwrap_err().to_string();
    assert!(words.contains("OCIM_GATEWAY_ADDRESSES"), "{words}");
    assert!(dns.set(ZONE, &target(), &owner(7)).await.unwrap());
}

#[tokio::test]
async fn two_processes_that_set_one_name_at_once_agree() {
    let knot = Knot::primary_only().await;
    let (one, other) = (provider(&knot, &key(), &[ZONE]), provider(&knot, &key(), &[ZONE]));
    let (target, owner) = (target(), owner(7));
    for n in 0..10 {
        let name = format!("n{n}.example.test");
        let (first, second) = tokio::join!(one.set(&name, &target, &owner), other.set(&name, &target, &owner));
        assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
        assert!(!one.set(&name, &target, &owner).await.unwrap(), "{name} is as it should be");
    }
}
