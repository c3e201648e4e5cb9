//! The health of an instance's sites, formatted for people.

use chrono::{DateTime, TimeZone, Utc};
use shared_types::applications::site_label;
use shared_types::{HealthState, InstanceHealth, InstanceSummary};

use super::clock_in_zone;

/// The label of a state of health.
pub const fn label(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "Healthy",
        HealthState::Unknown => "Health unknown",
        HealthState::Degraded => "Degraded",
        HealthState::Down => "Down",
    }
}

/// Why the state is not `ok`: “Studio has failed its checks since 14:02 UTC”. None if it is.
pub fn reason<Zone: TimeZone>(health: &InstanceHealth, now: DateTime<Utc>, zone: &Zone) -> Option<String>
where
    Zone::Offset: std::fmt::Display,
{
    match health.state {
        HealthState::Ok => None,
        HealthState::Unknown => Some(match health.checked_at {
            Some(at) => format!("Not checked since {}", clock_in_zone(at, now, zone)),
            None => "Not checked yet".to_owned(),
        }),
        HealthState::Degraded | HealthState::Down => {
            let names: Vec<String> = health.failing.iter().map(|name| site_label(name).to_owned()).collect();
            let (sites, verb) = match names.as_slice() {
                [] => ("All sites".to_owned(), "have failed their"),
                [one] => (one.clone(), "has failed its"),
                [before @ .., last] => (format!("{} and {last}", before.join(", ")), "have failed their"),
            };
            Some(format!("{sites} {verb} checks since {}", clock_in_zone(health.since, now, zone)))
        }
    }
}

/// The text for the mark of an instance's sites: the state with its reason, or that all sites work.
pub fn mark<Zone: TimeZone>(instance: &InstanceSummary, now: DateTime<Utc>, zone: &Zone) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let Some(active) = &instance.active_appserver else { return "No active appserver".to_owned() };
    let Some(health) = &instance.health else {
        return format!("{} is active; its sites were not checked yet", active.name);
    };
    let state = label(health.state);
    match reason(health, now, zone) {
        None => format!("{} is active and healthy", active.name),
        Some(reason) => format!("{}: {state}. {reason}", active.name),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn health(state: HealthState, failing: &[&str], checked_at: Option<&str>) -> InstanceHealth {
        InstanceHealth {
            state,
            failing: failing.iter().map(|name| (*name).to_owned()).collect(),
            since: "2026-03-20T14:02:00Z".parse().unwrap(),
            checked_at: checked_at.map(|at| at.parse().unwrap()),
        }
    }

    fn words(health: &InstanceHealth) -> Option<String> {
        reason(health, "2026-03-20T15:00:00Z".parse().unwrap(), &Utc)
    }

    #[test]
    fn a_failure_names_the_sites_and_since_when() {
        use HealthState::{Degraded, Down, Ok};
        let cases = [
            (Degraded, &["studio"][..], "Studio has failed its checks since 14:02 UTC"),
            (Down, &["lms", "studio"], "LMS and Studio have failed their checks since 14:02 UTC"),
            (Down, &["lms", "studio", "notes"], "LMS, Studio and notes have failed their checks since 14:02 UTC"),
            (Down, &[], "All sites have failed their checks since 14:02 UTC"),
        ];
        for (state, failing, told) in cases {
            assert_eq!(words(&health(state, failing, None)).as_deref(), Some(told));
        }
        assert_eq!(words(&health(Ok, &[], None)), None);
    }

    #[test]
    fn unknown_health_says_when_the_sites_were_last_checked() {
        let unknown = |checked_at| words(&health(HealthState::Unknown, &[], checked_at)).unwrap();
        assert_eq!(unknown(Some("2026-03-20T13:00:00Z")), "Not checked since 13:00 UTC");
        assert_eq!(unknown(Some("2026-03-19T13:00:00Z")), "Not checked since 19 Mar 13:00 UTC");
        assert_eq!(unknown(None), "Not checked yet");
    }
}
