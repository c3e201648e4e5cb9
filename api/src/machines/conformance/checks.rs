//! The checks by name, in the order in which they are made.

use super::bench::Bench;
use super::{Subject, crowd, life, strangers};

/// A rule of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The offers can be true, and the user may exist.
    Offers,
    /// A created machine is found by its server id, with the same provider's id, and becomes active with an address.
    CreateThenFind,
    /// A second create gives the same machine, and one is listed.
    CreateTwice,
    /// A server id that has no machine is not found, also beside the provider's id of another machine.
    FindUnknown,
    /// The list has exactly the machines that were created, each once, as find gives them.
    ListExactly,
    /// A machine of another installation with the same server id is not found, listed, rebooted or terminated.
    Strangers,
    /// The machine lets its key in as the provider's user with sudo, and no other key.
    LetsInItsKey,
    /// A reboot really restarts the machine, which keeps its address and its key.
    Reboot,
    /// A reboot of a machine that does not exist is refused.
    RebootMissing,
    /// A terminated machine is neither found nor listed as soon as terminate returns.
    TerminateGone,
    /// A second terminate succeeds, as does one of a machine that never existed.
    TerminateTwice,
    /// After a create that was cut off, the next steps result in one machine.
    LostAnswer,
    /// Several creates at once result in one machine each; two of the same server in one.
    SeveralAtOnce,
    /// Find and list answer in time while machines are created.
    ReadsInTime,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: &[Self] = &[
        Self::Offers,
        Self::CreateThenFind,
        Self::CreateTwice,
        Self::FindUnknown,
        Self::ListExactly,
        Self::Strangers,
        Self::LetsInItsKey,
        Self::Reboot,
        Self::RebootMissing,
        Self::TerminateGone,
        Self::TerminateTwice,
        Self::LostAnswer,
        Self::SeveralAtOnce,
        Self::ReadsInTime,
    ];

    /// The name, as it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offers => "offers",
            Self::CreateThenFind => "create-then-find",
            Self::CreateTwice => "create-twice",
            Self::FindUnknown => "find-unknown",
            Self::ListExactly => "list-exactly",
            Self::Strangers => "strangers",
            Self::LetsInItsKey => "lets-in-its-key",
            Self::Reboot => "reboot",
            Self::RebootMissing => "reboot-missing",
            Self::TerminateGone => "terminate-gone",
            Self::TerminateTwice => "terminate-twice",
            Self::LostAnswer => "lost-answer",
            Self::SeveralAtOnce => "several-at-once",
            Self::ReadsInTime => "reads-in-time",
        }
    }

    /// Why it cannot be made; none if it can.
    pub(super) fn obstacle(self, subject: &Subject<'_>) -> Option<&'static str> {
        if self == Self::Strangers && subject.stranger.is_none() {
            return Some("these machines cannot be opened for another installation");
        }
        (self == Self::LetsInItsKey && subject.probe.is_none()).then_some("no machine can be logged in to")
    }

    /// Makes the check.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub(super) async fn make(self, bench: &Bench<'_>) -> Result<(), String> {
        match self {
            Self::Offers => life::offers(bench),
            Self::CreateThenFind => life::create_then_find(bench).await,
            Self::CreateTwice => life::create_twice(bench).await,
            Self::FindUnknown => life::find_unknown(bench).await,
            Self::ListExactly => crowd::list_exactly(bench).await,
            Self::Strangers => strangers::leave_alone(bench).await,
            Self::LetsInItsKey => life::lets_in_its_key(bench).await,
            Self::Reboot => life::reboot(bench).await,
            Self::RebootMissing => life::reboot_missing(bench).await,
            Self::TerminateGone => life::terminate_gone(bench).await,
            Self::TerminateTwice => life::terminate_twice(bench).await,
            Self::LostAnswer => crowd::lost_answer(bench).await,
            Self::SeveralAtOnce => crowd::several_at_once(bench).await,
            Self::ReadsInTime => crowd::reads_in_time(bench).await,
        }
    }
}
