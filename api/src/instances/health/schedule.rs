//! When each active app server is checked next, and how many are checked at once.
//!
//! One task at a time checks an app server. App servers whose last check was slow have separate places, so that
//! machines that accept a connection and never answer leave the places of the others free.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shared_types::app_server::Checks;
use shared_types::{AppServerId, InstanceId};
use tokio::time::Instant;

use crate::instances::application::CheckSpec;

/// How many app servers that answer promptly are checked at once.
const PROMPT_PLACES: usize = 256;
/// How many slow ones are checked at once. Each takes up to five seconds, so these check 1,500 dead machines in 30 s.
const SLOW_PLACES: usize = 256;
/// A check that takes longer counts as slow.
const PROMPT: Duration = Duration::from_secs(1);
/// Pause between the first checks of newly active app servers: 100 begin a second.
const START_PAUSE: Duration = Duration::from_millis(10);

/// Where a check is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aim {
    /// The web server of its machine.
    At(SocketAddr),
    /// The machine is gone.
    Gone,
    /// The machine has no address.
    Nowhere,
}

/// An active app server that is checked periodically.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) app_server: AppServerId,
    pub(super) aim: Aim,
    /// The checks of its sites; None: the application cannot name them.
    pub(super) specs: Option<Arc<[CheckSpec]>>,
    /// The last result that this process knows to be stored.
    pub(super) stored: Option<Checks>,
    due: Instant,
    is_asked: bool,
    is_slow: bool,
}

/// All active app servers, by instance.
#[derive(Debug)]
pub(super) struct Schedule {
    interval: Duration,
    targets: HashMap<InstanceId, Target>,
    prompt: usize,
    slow: usize,
    random: RandomState,
    turn: u64,
}

/// A check that begins now.
#[derive(Debug, Clone)]
pub(super) struct Start {
    pub(super) instance: InstanceId,
    pub(super) target: Target,
}

impl Schedule {
    pub(super) fn new(interval: Duration) -> Self {
        let (targets, random) = (HashMap::new(), RandomState::new());
        Self { interval, targets, prompt: 0, slow: 0, random, turn: 0 }
    }

    pub(super) fn get_mut(&mut self, instance: InstanceId) -> Option<&mut Target> {
        self.targets.get_mut(&instance)
    }

    pub(super) fn get(&self, instance: InstanceId) -> Option<&Target> {
        self.targets.get(&instance)
    }

    /// Forgets which result is stored of an instance's app server, or of all.
    pub(super) fn forget_stored(&mut self, of: Option<InstanceId>) {
        match of {
            Some(id) => self.targets.get_mut(&id).into_iter().for_each(|target| target.stored = None),
            None => self.targets.values_mut().for_each(|target| target.stored = None),
        }
    }

    /// Whether any app server has an address to ask.
    pub(super) fn has_questions(&self) -> bool {
        self.targets.values().any(|target| matches!(target.aim, Aim::At(_)))
    }

    /// Adds or updates an active app server. A new one is checked at once; among many, `place` delays its first check.
    pub(super) fn put(
        &mut self,
        instance: InstanceId,
        app_server: AppServerId,
        aim: Aim,
        specs: Option<Arc<[CheckSpec]>>,
        place: u32,
        now: Instant,
    ) {
        match self.targets.get_mut(&instance) {
            Some(known) if known.app_server == app_server => {
                if known.aim != aim {
                    known.due = now;
                }
                known.aim = aim;
                known.specs = specs;
            }
            known => {
                // If a task still checks the app server before, it frees its place when it ends.
                let is_asked = known.is_some_and(|known| known.is_asked);
                let wait = START_PAUSE.saturating_mul(place).min(self.interval);
                let target = Target { app_server, aim, specs, stored: None, due: now + wait, is_asked, is_slow: false };
                self.targets.insert(instance, target);
            }
        }
    }

    /// Removes app servers that are not active now, of all instances or only of these.
    pub(super) fn keep_only(&mut self, active: &[InstanceId], of: Option<&[InstanceId]>) {
        let active: std::collections::HashSet<_> = active.iter().collect();
        self.targets.retain(|id, _| active.contains(id) || of.is_some_and(|of| !of.contains(id)));
    }

    /// Starts the due checks for which there are places, the longest due first.
    pub(super) fn begin(&mut self, now: Instant) -> Vec<Start> {
        let mut due: Vec<(Instant, InstanceId)> = self
            .targets
            .iter()
            .filter(|(_, target)| target.due <= now && !target.is_asked)
            .map(|(id, target)| (target.due, *id))
            .collect();
        due.sort_unstable();
        let mut starts = Vec::new();
        for (_, instance) in due {
            let Some(target) = self.targets.get_mut(&instance) else { continue };
            let (taken, places) =
                if target.is_slow { (&mut self.slow, SLOW_PLACES) } else { (&mut self.prompt, PROMPT_PLACES) };
            if *taken < places {
                *taken += 1;
                target.is_asked = true;
                starts.push(Start { instance, target: target.clone() });
            }
        }
        starts
    }

    /// Frees the place of a check that took `took`, and schedules the next check.
    pub(super) fn ended(&mut self, start: &Start, took: Duration, now: Instant) {
        let taken = if start.target.is_slow { &mut self.slow } else { &mut self.prompt };
        *taken = taken.saturating_sub(1);
        let next = now + self.with_jitter().saturating_sub(took);
        if let Some(target) = self.targets.get_mut(&start.instance) {
            target.is_asked = false;
            if target.app_server == start.target.app_server {
                target.is_slow = took > PROMPT;
                target.due = next;
            }
        }
    }

    /// Checks an instance again at `at`, or earlier if it is due earlier.
    pub(super) fn again(&mut self, instance: InstanceId, at: Instant) {
        if let Some(target) = self.targets.get_mut(&instance) {
            target.due = target.due.min(at);
        }
    }

    /// The interval, randomly up to a tenth shorter or longer, so that checks that began together spread.
    fn with_jitter(&mut self) -> Duration {
        self.turn = self.turn.wrapping_add(1);
        let thousandths = u32::try_from(self.random.hash_one(self.turn) % 201).unwrap_or_default();
        self.interval / 1000 * (900 + thousandths)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn schedule(count: i64, now: Instant) -> Schedule {
        let mut schedule = Schedule::new(INTERVAL);
        for id in 1..=count {
            let aim = Aim::At("127.0.0.1:80".parse().unwrap());
            schedule.put(InstanceId(id), AppServerId(id), aim, Some(Arc::new([])), 0, now);
        }
        schedule
    }

    #[test]
    fn each_is_asked_by_one_task_at_a_time_and_again_after_about_an_interval() {
        let now = Instant::now();
        let mut schedule = schedule(2, now);
        let starts = schedule.begin(now);
        assert_eq!(starts.len(), 2);
        assert_eq!(schedule.begin(now).len(), 0);
        schedule.ended(&starts[0], Duration::from_millis(20), now);
        assert_eq!(schedule.begin(now).len(), 0);
        assert_eq!(schedule.begin(now + INTERVAL * 9 / 10 - Duration::from_millis(30)).len(), 0);
        assert_eq!(schedule.begin(now + INTERVAL * 11 / 10).len(), 1, "the other one is still being asked");
    }

    #[test]
    fn dead_ones_leave_the_places_of_the_others_free() {
        let now = Instant::now();
        let mut schedule = schedule(2_000, now);
        let first = schedule.begin(now);
        assert_eq!(first.len(), PROMPT_PLACES);
        for start in &first {
            schedule.ended(start, Duration::from_secs(5), now);
            schedule.again(start.instance, now);
        }
        let second = schedule.begin(now);
        let slow = second.iter().filter(|start| start.target.is_slow).count();
        assert_eq!((slow, second.len() - slow), (SLOW_PLACES, PROMPT_PLACES));
    }

    #[test]
    fn another_app_server_is_checked_at_once_and_the_task_of_the_one_before_changes_nothing() {
        let now = Instant::now();
        let mut schedule = schedule(1, now);
        let start = schedule.begin(now).remove(0);
        schedule.put(InstanceId(1), AppServerId(9), Aim::Gone, None, 0, now);
        assert_eq!(schedule.begin(now).len(), 0, "one task an instance");
        schedule.ended(&start, Duration::from_secs(5), now);
        let next = schedule.begin(now).remove(0);
        assert_eq!((next.target.app_server, next.target.is_slow), (AppServerId(9), false));
        schedule.keep_only(&[], Some(&[InstanceId(2)]));
        assert!(schedule.get(InstanceId(1)).is_some());
        schedule.keep_only(&[], Some(&[InstanceId(1)]));
        schedule.ended(&next, Duration::ZERO, now);
        assert_eq!((schedule.prompt, schedule.slow), (0, 0));
    }

    #[test]
    fn a_second_check_is_made_when_it_is_wanted() {
        let now = Instant::now();
        let mut schedule = schedule(1, now);
        let start = schedule.begin(now).remove(0);
        schedule.ended(&start, Duration::ZERO, now);
        schedule.again(InstanceId(1), now + Duration::from_secs(5));
        assert_eq!(schedule.begin(now).len(), 0);
        assert_eq!(schedule.begin(now + Duration::from_secs(5)).len(), 1);
    }
}
