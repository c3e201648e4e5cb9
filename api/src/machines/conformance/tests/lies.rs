//! Each check finds the providers that break its rule.

use super::liar::{Liar, Lie, Stranger};
use super::*;

/// Each way to break the contract, the check that finds it, and a part of what it says.
const CAUGHT: &[(Lie, Check, &str)] = &[
    (Lie::OffersNothing, Check::Offers, "memory_mb 0"),
    (Lie::HasNoUser, Check::Offers, "no name of a user"),
    (Lie::CreateGivesNoId, Check::CreateThenFind, "without a provider's id"),
    (Lie::FindsNothing, Check::CreateThenFind, "find does not find server 1000"),
    (Lie::FindGivesAnotherId, Check::CreateThenFind, "create gives fake-1000, find gives another"),
    (Lie::NeverActive, Check::CreateThenFind, "is not active with an address lasts longer than"),
    (Lie::FailsLater, Check::CreateThenFind, "Server 1000 has failed: no host."),
    (Lie::CreateHangs, Check::CreateThenFind, "create of server 1000 did not end within 1 s."),
    (Lie::SecondCreateMakesAnother, Check::CreateTwice, "the second create gives strange-1000"),
    (Lie::CreateOfActiveIsRefused, Check::CreateTwice, "there is a machine of this name"),
    (Lie::FindsTheUnknown, Check::FindUnknown, "which was never created"),
    (Lie::BelievesTheProviderId, Check::FindUnknown, "the server id decides"),
    (Lie::NeedsTheProviderId, Check::FindUnknown, "may be out of date"),
    (Lie::ListIsPartial, Check::ListExactly, "list lacks server 1002"),
    (Lie::ListHasOneTwice, Check::ListExactly, "has a server twice"),
    (Lie::TerminatedIsListed, Check::ListExactly, "list has server 1001, which was not created or is gone"),
    (Lie::ListGivesOtherIds, Check::ListExactly, "list gives fake-1000x, find gives fake-1000"),
    (Lie::ListHasStrangers, Check::Strangers, "list has the machine of another installation"),
    (Lie::FindsStrangers, Check::Strangers, "find gives the machine of another installation"),
    (Lie::RebootsStrangers, Check::Strangers, "reboot accepts"),
    (Lie::AdoptsStrangers, Check::Strangers, "create gives the machine of another installation"),
    (Lie::TerminatesStrangers, Check::Strangers, "terminate has removed the machine of another installation"),
    (Lie::LetsInNoKey, Check::LetsInItsKey, "Permission denied"),
    (Lie::LetsInAnyKey, Check::LetsInItsKey, "lets in a key that it was not given"),
    (Lie::HasNoSudo, Check::LetsInItsKey, "a password is required"),
    (Lie::RebootDoesNothing, Check::Reboot, "the same boot as before"),
    (Lie::RebootLosesTheMachine, Check::Reboot, "find does not find server 1000"),
    (Lie::RebootMovesTheMachine, Check::Reboot, "other addresses after a reboot"),
    (Lie::RebootOfMissingSucceeds, Check::RebootMissing, "although it has no machine"),
    (Lie::TerminateReturnsEarly, Check::TerminateGone, "is found after terminate has returned"),
    (Lie::TerminatedIsListed, Check::TerminateGone, "is listed after terminate has returned"),
    (Lie::TerminateIsIgnored, Check::TerminateGone, "may be left; remove it by hand"),
    (Lie::SecondTerminateFails, Check::TerminateTwice, "A machine that is gone must count as terminated"),
    (Lie::TerminateHangs, Check::TerminateTwice, "terminate of server 1000 did not end within 1 s."),
    (Lie::LostCreateMakesAnother, Check::LostAnswer, "has a server twice"),
    (Lie::LostCreateNeverEnds, Check::LostAnswer, "After a create that was cut off: find does not find"),
    (Lie::LostCreateBlocks, Check::LostAnswer, "the machine is locked"),
    (Lie::OverlappingCreatesMakeTwo, Check::SeveralAtOnce, "another at the same time gives strange-1000"),
    (Lie::MachinesShareAnId, Check::SeveralAtOnce, "4 servers share 1 machines"),
    (Lie::MachinesShareAnAddress, Check::SeveralAtOnce, "Two machines have the address 192.0.2.1:22"),
    (Lie::CreatesFailAtOnce, Check::SeveralAtOnce, "429 Too Many Requests"),
    (Lie::FindHangs, Check::ReadsInTime, "find of server 1000 did not end within 0.3 s."),
    (Lie::ListHangs, Check::ReadsInTime, "list did not end within 0.3 s."),
    (Lie::ReadsWaitForCreates, Check::ReadsInTime, "did not end within 0.3 s."),
];

const SHORT: Limits = Limits {
    read: Duration::from_millis(300),
    change: Duration::from_secs(1),
    ready: Duration::from_millis(500),
    poll: Duration::from_millis(5),
};

#[tokio::test]
async fn every_broken_rule_is_found_by_its_check_and_no_machine_is_left() {
    let all = CAUGHT.iter().map(async |(lie, check, words)| {
        let liar = Liar::new(*lie);
        let stranger = Stranger(&liar.honest);
        let subject = Subject {
            provider: &liar,
            stranger: Some(&stranger),
            probe: Some(&liar),
            limits: SHORT,
            first_id: FIRST_ID,
        };
        let Outcome::Failed(what) = make(&subject, *check, &mut FIRST_ID.clone()).await else {
            panic!("{lie:?} is not found by {}", check.name());
        };
        assert!(what.contains(words), "{lie:?}: {what}");
        let cannot_remove = matches!(lie, Lie::TerminateIsIgnored | Lie::TerminateHangs);
        assert_eq!(liar.honest.machines().is_empty(), !cannot_remove, "{lie:?}: {what}");
        assert!(!cannot_remove || what.contains("may be left; remove it by hand"), "{lie:?}: {what}");
    });
    futures::future::join_all(all).await;
}

#[test]
fn every_check_has_a_provider_that_breaks_its_rule() {
    for check in Check::ALL {
        assert!(CAUGHT.iter().any(|(_, by, _)| by == check), "{check:?}");
    }
}
