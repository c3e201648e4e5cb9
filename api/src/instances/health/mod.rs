//! The health of an instance's sites, from the checks of its active app server. How a check changes it is decided here
//! only, by a function without side effects.
//!
//! [`watch`] checks all sites periodically, [`record`] writes changes, [`stale`] notices that no process makes checks,
//! and [`mail`] notifies ADMINS. [`self::checks`] makes one check.
//!
//! A health becomes unknown in two ways. If the sites of one app server cannot be asked while others can, its row says
//! so. If no checks are made at all (no process makes them, the gateway or the database is away), one row says so
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
    /// The machine of these sites is gone.
    MachineGone(Vec<String>),
    /// A site could not be asked, so nothing is known.
    NotAsked,
}

impl Health {
    /// The health of an app server that becomes active and was not checked yet.
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

    /// The health after a check at this time.
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

    /// Whether the state or the list of failing sites has changed.
    pub fn differs(&self, before: &Self) -> bool {
        (self.state, &self.failing) != (before.state, &before.failing)
    }

    /// Whether only the time of the check is new.
    pub fn is_same_but_later(&self, before: &Self) -> bool {
        *self == Self { checked_at: self.checked_at, ..before.clone() }
    }

    fn suspected(&self, site: &str, at: DateTime<Utc>) -> DateTime<Utc> {
        self.suspects.get(site).copied().unwrap_or(at)
    }

    fn answered(&self, sites: &[(String, bool)], at: DateTime<Utc>, pace: Pace) -> Self {
        let bad = sites.iter().filter(|(_, is_ok)| !is_ok).map(|(site, _)| site);
        let suspects: BTreeMap<_, _> = bad.map(|site| (site.clone(), self.suspected(site, at))).collect();
        // An app server that has just become active has no earlier result, so its first answers decide.
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
            // The second check, a few seconds later, decides.
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
        // The first check gives the state since the app server became active.
        let is_same = self.state == state || self.checked_at.is_none();
        let failing_since = match state {
            HealthState::Ok => None,
            HealthState::Unknown => self.failing_since,
            HealthState::Degraded | HealthState::Down => self.failing_since.or(Some(at)),
        };
        let since = if is_same { self.since } else { at };
        Self { state, failing, suspects, since, failing_since, checked_at: Some(at) }
    }

    /// Keeps the last state until it is too old; then the state is unknown.
    fn aged(&self, at: DateTime<Utc>, pace: Pace) -> Self {
        let too_old = self.checked_at.unwrap_or(self.since) + span(pace.limit()) <= at;
        if !too_old || self.state == HealthState::Unknown {
            return self.clone();
        }
        Self { state: HealthState::Unknown, failing: Vec::new(), since: at, ..self.clone() }
    }
}

/// Converts a duration from the settings; the longest one if it is too long.
fn span(duration: Duration) -> chrono::Duration {
    chrono::Duration::from_std(duration).unwrap_or(chrono::Duration::MAX)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
