//! A conformance suite: checks that a provider keeps the contract of [`Provider`]. Tests run it, and `ocim admin
//! check-provider` does.
//!
//! Each check makes its own machines, which are removed afterwards, also if it fails. The provider must be
//! opened for an installation that has no machines: the suite removes all that it lists. So a run that was killed is
//! cleaned up by the next one.

mod bench;
mod checks;
mod crowd;
mod life;
mod strangers;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use self::bench::Bench;
use super::probe::Probe;
use super::provider::Provider;

pub use checks::Check;

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Opened for an installation of the suite's own, without machines.
    pub provider: &'a dyn Provider,
    /// The same machines, opened for another installation; none: strangers are not tried.
    pub stranger: Option<&'a dyn Provider>,
    /// Logs in to the machines; none: what needs a login is not tried.
    pub probe: Option<&'a dyn Probe>,
    pub limits: Limits,
    /// The first server id; each machine takes the next. Higher than in every earlier run on the same installation.
    pub first_id: i64,
}

/// How long the provider may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// One find or list.
    pub read: Duration,
    /// One create, reboot or terminate.
    pub change: Duration,
    /// From the answer of a create or a reboot until the machine is active, and again until it lets the suite log in.
    pub ready: Duration,
    /// Between two questions while the suite waits.
    pub poll: Duration,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// Why it could not be tried.
    Skipped(&'static str),
    /// What is wrong, as a sentence.
    Failed(String),
}

/// A check that has been made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub check: Check,
    /// With the removal of its machines.
    pub took: Duration,
    pub outcome: Outcome,
}

impl Checked {
    /// Whether the provider breaks the contract.
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

/// Makes every check, one after the other. `told` gets each as soon as it is made.
///
/// # Errors
/// Why no check could be made: machines of an earlier run, or of another installation, cannot be listed or removed.
pub async fn run(subject: &Subject<'_>, told: &mut (dyn FnMut(&Checked) + Send)) -> Result<Vec<Checked>, String> {
    let mut all = Vec::new();
    let mut next_id = subject.first_id;
    bench::remove_leftovers(subject).await?;
    for check in Check::ALL.iter().copied() {
        let begun = Instant::now();
        let outcome = make(subject, check, &mut next_id).await;
        let checked = Checked { check, took: begun.elapsed(), outcome };
        told(&checked);
        all.push(checked);
    }
    Ok(all)
}

/// Makes one check with server ids from `next_id` on, and removes its machines.
async fn make(subject: &Subject<'_>, check: Check, next_id: &mut i64) -> Outcome {
    if let Some(why) = check.obstacle(subject) {
        return Outcome::Skipped(why);
    }
    let bench = Bench::new(subject, *next_id);
    let found = check.make(&bench).await;
    let cleaned = bench.clear().await;
    *next_id = bench.next_id();
    outcome(found, cleaned)
}

fn outcome(found: Result<(), String>, cleaned: Result<(), String>) -> Outcome {
    match (found, cleaned) {
        (Ok(()), Ok(())) => Outcome::Passed,
        (Err(what), Ok(())) | (Ok(()), Err(what)) => Outcome::Failed(what),
        (Err(what), Err(left)) => Outcome::Failed(format!("{what} {left}")),
    }
}
