//! The number of instances in use of each kind.

use shared_types::{HealthState, InstanceSummary};

use crate::paths::Only;

/// The number of instances in use of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub all: usize,
    /// Instances that need attention.
    pub attention: usize,
    /// Instances whose main site fails.
    pub down: usize,
    /// Instances where only other sites fail.
    pub degraded: usize,
    /// Instances whose health is unknown.
    pub unknown: usize,
    /// Instances with a build in progress.
    pub building: usize,
}

impl Counts {
    pub fn count<'a>(instances: impl Iterator<Item = &'a InstanceSummary>) -> Self {
        instances.fold(Self::default(), |counts, one| {
            let state = one.health_state();
            let is = |wanted| usize::from(state == Some(wanted));
            Self {
                all: counts.all + 1,
                attention: counts.attention + usize::from(one.attention().is_some()),
                down: counts.down + is(HealthState::Down),
                degraded: counts.degraded + is(HealthState::Degraded),
                unknown: counts.unknown + is(HealthState::Unknown),
                building: counts.building + usize::from(one.is_building()),
            }
        })
    }

    /// The count for a filter; none for the archived instances, which are not in the list.
    pub const fn of(&self, only: Only) -> Option<usize> {
        match only {
            Only::All => Some(self.all),
            Only::Attention => Some(self.attention),
            Only::Down => Some(self.down),
            Only::Degraded => Some(self.degraded),
            Only::Unknown => Some(self.unknown),
            Only::Building => Some(self.building),
            Only::Archived => None,
        }
    }

    /// The prefix for the title of every page: “▲ 2 down, 1 degraded”. None while no site is known to fail.
    pub fn alarm(&self) -> Option<String> {
        let told = [(self.down, "down"), (self.degraded, "degraded")];
        let told: Vec<String> =
            told.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        (!told.is_empty()).then(|| format!("▲ {}", told.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_title_tells_of_failing_sites_only() {
        let alarm = |down, degraded, unknown| Counts { down, degraded, unknown, ..Counts::default() }.alarm();
        assert_eq!(alarm(2, 1, 0).as_deref(), Some("▲ 2 down, 1 degraded"));
        assert_eq!(alarm(0, 3, 9).as_deref(), Some("▲ 3 degraded"));
        assert_eq!(alarm(0, 0, 300), None, "unknown health is one banner, not an alarm");
    }
}
