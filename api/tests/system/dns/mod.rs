//! Names in the DNS at a real authoritative server (knot) on loopback, which the test starts, and at a fake of Gandi LiveDNS.

mod challenges;
mod gandi;
mod instances;
mod knot;
mod names;
mod refusals;
mod updates;

use ocim::config::dns::{KeyAlgorithm, Target, TsigKey};
use ocim::dns::owner::Owner;
use ocim::dns::providers::rfc2136::Rfc2136;
use secrecy::SecretBox;
use shared_types::InstanceId;

use self::knot::Knot;

/// The zone that the servers have.
const ZONE: &str = "example.test";
const NAME: &str = "campus.example.test";

/// The gateways.
fn target() -> Target {
    Target::Addresses(vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()])
}

fn owner(instance: i64) -> Owner {
    Owner { installation: "9f3c".to_owned(), instance: InstanceId(instance) }
}

/// The key that may change the zone, as the server has it.
fn key() -> TsigKey {
    tsig("ocim", KeyAlgorithm::HmacSha256, knot::SECRET)
}

fn tsig(name: &str, algorithm: KeyAlgorithm, secret: &[u8]) -> TsigKey {
    TsigKey { name: name.to_owned(), algorithm, secret: SecretBox::new(secret.to_vec().into_boxed_slice()) }
}

/// The provider with this key, for these zones.
fn provider(knot: &Knot, key: &TsigKey, zones: &[&str]) -> Rfc2136 {
    let zones = zones.iter().map(|&zone| zone.to_owned()).collect();
    Rfc2136::new(knot.primary().to_string(), key, zones, 60).unwrap()
}
