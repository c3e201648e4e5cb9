//! The suite on the providers for tests, and on providers that break the contract, each in one way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "tests")]

mod liar;
mod lies;

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::machines::provider::MachineOffer;
use crate::machines::providers::fake::FakeProvider;
use crate::machines::providers::fake_files::FileMachines;

const FIRST_ID: i64 = 1000;
const LIMITS: Limits = Limits {
    read: Duration::from_secs(5),
    change: Duration::from_secs(5),
    ready: Duration::from_secs(5),
    poll: Duration::from_millis(1),
};

fn web() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9))
}

fn fake() -> FakeProvider {
    FakeProvider::new(vec![web()])
}

fn subject(provider: &dyn Provider) -> Subject<'_> {
    Subject { provider, stranger: None, probe: None, limits: LIMITS, first_id: FIRST_ID }
}

/// Runs the suite and gives the checks that have not passed.
async fn not_passed(subject: &Subject<'_>) -> Vec<(Check, Outcome)> {
    let mut told = Vec::new();
    let all = run(subject, &mut |checked| told.push(checked.clone())).await.unwrap();
    assert_eq!(told, all);
    assert_eq!(all.iter().map(|checked| checked.check).collect::<Vec<_>>(), Check::ALL);
    let outcomes = all.into_iter().map(|checked| (checked.check, checked.outcome));
    outcomes.filter(|(_, outcome)| *outcome != Outcome::Passed).collect()
}

#[tokio::test]
async fn the_provider_in_memory_keeps_the_contract() {
    let fake = fake();
    let stranger = liar::Stranger(&fake);
    let subject = Subject { stranger: Some(&stranger), probe: Some(&fake), ..subject(&fake) };
    assert_eq!(not_passed(&subject).await, []);
    assert_eq!(fake.machines(), []);
}

#[tokio::test]
async fn machines_that_are_files_keep_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let machines = FileMachines::open(dir.path().to_owned(), Some(web())).unwrap();
    let skipped: Vec<_> = not_passed(&subject(&machines)).await;
    assert!(skipped.iter().all(|(_, outcome)| matches!(outcome, Outcome::Skipped(_))), "{skipped:?}");
    let checks: Vec<_> = skipped.into_iter().map(|(check, _)| check).collect();
    assert_eq!(checks, [Check::Strangers, Check::LetsInItsKey]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn machines_of_an_earlier_run_are_removed_first() {
    let fake = fake();
    fake.plant(shared_types::ServerId(3)).unwrap();
    let stranger = liar::Stranger(&fake);
    stranger.0.plant_stranger(shared_types::ServerId(4));
    assert_eq!(not_passed(&Subject { probe: Some(&fake), ..subject(&fake) }).await.len(), 1, "strangers are skipped");
    assert_eq!((fake.machines(), fake.strangers()), (vec![], vec![shared_types::ServerId(4)]));
    fake.set_away(true);
    let refused = run(&subject(&fake), &mut |checked| panic!("{checked:?}")).await.unwrap_err();
    assert_eq!(refused, "list failed: the provider does not answer.");
}

#[tokio::test]
async fn names_of_checks_differ_and_have_no_blanks() {
    let names: std::collections::BTreeSet<_> = Check::ALL.iter().map(|check| check.name()).collect();
    assert_eq!(names.len(), Check::ALL.len());
    assert!(names.iter().all(|name| !name.contains(' ')));
    assert_eq!(fake().offers(), MachineOffer::ANY);
}
