//! The health of an instance's sites, from the checks of its active app server. What a check changes is decided here, by a
//! function without side effects, and nowhere else.
//!
//! [`watch`] asks all sites again and again, [`record`] writes what changed, [`stale`] notices that no process asks any more, and
//! [`mail`] tells ADMINS. Not here: how a site is asked ([`self::checks`]).
//!
//! Two things make a health unknown. One app server's sites cannot be asked while others' can: then its row says so. The watch as
//! a whole asks nothing (no process makes checks, the gateway or the database is away): then one row says so
//! (`health_watch.fresh_until`), readers show every health as unknown, and no row of an instance changes.

pub mod checks;
pub mod mail;
pub mod record;
mod schedule;
pub mod stale;
pub mod watch;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_types::HealthState;

use super::Pace;
pub use super::store::health::Health;

/// What one check of an app server's sites found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Whether each site answered as it should, the main site first.
    Answers(Vec<(String, bool)>),
    /// There is no machine any more that could answer for these sites.
    MachineGone(Vec<String>),
    /// The sites could not be asked.
    NotAsked,
}

impl Health {
    /// That of an app server that becomes active and was not checked yet.
    pub fn unknown(since: DateTime<Utc>) -> Self {
        Self {
            state: HealthState::Unknown,
            failing: Vec::new(),
            suspects: BTreeMap::new(),
            since,
            failing_since: None,
            checked_at: None,
        }
    }

    /// What a check at this time makes of it.
    #[must_use]
    pub fn after(&self, found: &Found, at: DateTime<Utc>, pace: Pace) -> Self {
        match found {
            Found::Answers(sites) => self.answered(sites, at, pace),
            Found::MachineGone(sites) => {
                let suspects = sites.iter().map(|site| (site.clone(), self.suspected(site, at))).collect();
                self.become_state(HealthState::Down, sites.clone(), suspects, at)
            }
            Found::NotAsked => self.aged(at, pace),
        }
    }

    /// Whether a site is to be checked again soon: its last check failed, and it does not count as failing yet.
    pub fn wants_recheck(&self) -> bool {
        self.suspects.keys().any(|site| !self.failing.contains(site))
    }

    /// Whether another state or list of failing sites is shown.
    pub fn differs(&self, before: &Self) -> bool {
        (self.state, &self.failing) != (before.state, &before.failing)
    }

    /// Whether nothing but the time of the check is new.
    pub fn is_same_but_later(&self, before: &Self) -> bool {
        *self == Self { checked_at: self.checked_at, ..before.clone() }
    }

    fn suspected(&self, site: &str, at: DateTime<Utc>) -> DateTime<Utc> {
        self.suspects.get(site).copied().unwrap_or(at)
    }

    fn answered(&self, sites: &[(String, bool)], at: DateTime<Utc>, pace: Pace) -> Self {
        let bad = sites.iter().filter(|(_, is_ok)| !is_ok).map(|(site, _)| site);
        let suspects: BTreeMap<_, _> = bad.map(|site| (site.clone(), self.suspected(site, at))).collect();
        // Of one that has just become active no good answer is known, so that the first answers decide.
        let is_first = self.checked_at.is_none();
        let counts = |site: &String| {
            suspects
                .get(site)
                .is_some_and(|first| is_first || self.failing.contains(site) || *first + span(pace.recheck) <= at)
        };
        let failing: Vec<String> = sites.iter().map(|(site, _)| site).filter(|site| counts(site)).cloned().collect();
        let main_fails = sites.first().is_some_and(|(main, _)| failing.contains(main));
        let state = if main_fails {
            HealthState::Down
        } else if !failing.is_empty() {
            HealthState::Degraded
        } else if self.state == HealthState::Unknown && !suspects.is_empty() {
            // The second check, in a moment, decides.
            HealthState::Unknown
        } else {
            HealthState::Ok
        };
        self.become_state(state, failing, suspects, at)
    }

    fn become_state(
        &self,
        state: HealthState,
        failing: Vec<String>,
        suspects: BTreeMap<String, DateTime<Utc>>,
        at: DateTime<Utc>,
    ) -> Self {
        // The first check says how it has been since the app server became active.
        let is_same = self.state == state || self.checked_at.is_none();
        let failing_since = match state {
            HealthState::Ok => None,
            HealthState::Unknown => self.failing_since,
            HealthState::Degraded | HealthState::Down => self.failing_since.or(Some(at)),
        };
        let since = if is_same { self.since } else { at };
        Self { state, failing, suspects, since, failing_since, checked_at: Some(at) }
    }

    /// The last state holds until it is too old.
    fn aged(&self, at: DateTime<Utc>, pace: Pace) -> Self {
        let too_old = self.checked_at.unwrap_or(self.since) + span(pace.limit()) <= at;
        if !too_old || self.state == HealthState::Unknown {
            return self.clone();
        }
        Self { state: HealthState::Unknown, failing: Vec::new(), since: at, ..self.clone() }
    }
}

/// A setting as a span of time.
fn span(duration: Duration) -> chrono::Duration {
    chrono::Duration::from_std(duration).unwrap_or(chrono::Duration::MAX)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
