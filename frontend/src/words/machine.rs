//! Machines in words: what each is needed for, and when it ends.

use chrono::{DateTime, TimeDelta, Utc};
use shared_types::{AppServerSummary, MachineRole, ServerDetail, ServerStatus};

use super::{ago, span, span_closely};
use crate::paths::{MachineState, MachineTab};

/// The label of a role.
pub const fn role(role: MachineRole) -> &'static str {
    match role {
        MachineRole::Ended => "Gone",
        MachineRole::Ending => "Being deleted",
        MachineRole::Building => "Building",
        MachineRole::Active => "Active",
        MachineRole::Fallback => "Fallback",
        MachineRole::Newest => "Newest",
        MachineRole::Pinned => "Pinned",
        MachineRole::Draining => "Draining",
        MachineRole::Unneeded => "Unneeded",
    }
}

/// A choice of states.
pub const fn state(state: MachineState) -> &'static str {
    match state {
        MachineState::Existing => "Existing",
        MachineState::Only(status) => status.name(),
        MachineState::Gone => "Gone",
        MachineState::Any => "Any, also gone",
    }
}

/// The name of a tab.
pub const fn tab(tab: MachineTab) -> &'static str {
    match tab {
        MachineTab::All => "All",
        MachineTab::Ending => "Ending soon",
        MachineTab::Orphans => "Orphans",
        MachineTab::Missing => "Missing",
    }
}

/// The word for the status of a machine. One that is pending without a build is never made.
pub fn status(machine: &ServerDetail) -> &'static str {
    match (machine.server.status, machine.role) {
        (ServerStatus::Pending, MachineRole::Ended) => "Never made",
        (ServerStatus::Terminated, _) => "Deleted",
        (status, _) => status.name(),
    }
}

/// The age of a machine: “just now”, “3 h”.
pub fn age(created: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let age = now - created;
    if age < TimeDelta::minutes(1) { "just now".to_owned() } else { span(age) }
}

/// The time until a machine is deleted: “in 5 h 20 min”, or “now” once it is due.
pub fn until(end: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match end - now {
        left if left.num_seconds() <= 0 => "now".to_owned(),
        left => format!("in {}", span_closely(left)),
    }
}

/// Until when the machine of a build that has ended is kept, in a sentence.
pub fn kept(app_server: &AppServerSummary, now: DateTime<Utc>) -> String {
    match (app_server.terminates_at, app_server.is_pinned) {
        _ if app_server.is_machine_going() => "It is being deleted.".to_owned(),
        (_, true) => "It is pinned, and stays until it is unpinned or terminated.".to_owned(),
        (Some(end), false) => format!("Its machine ends {}, unless you pin it.", until(end, now)),
        (None, false) => "When it ends is decided within a minute.".to_owned(),
    }
}

/// When a machine ends: “in 5 h 20 min”, “being deleted”, “deleted 3 h ago”. None: no end is set, or it was never made.
pub fn end(machine: &ServerDetail, now: DateTime<Utc>) -> Option<String> {
    match machine.role {
        MachineRole::Ended => {
            let is_deleted = machine.server.status == ServerStatus::Terminated;
            is_deleted.then(|| format!("deleted {}", ago(machine.server.modified, now)))
        }
        MachineRole::Ending => Some("being deleted".to_owned()),
        MachineRole::Building
        | MachineRole::Active
        | MachineRole::Fallback
        | MachineRole::Newest
        | MachineRole::Pinned
        | MachineRole::Draining
        | MachineRole::Unneeded => machine.ends_at.map(|end| until(end, now)),
    }
}

/// The user or the rule that has a machine deleted: “by retention”. None: its deletion was not requested.
pub fn ended_by(machine: &ServerDetail) -> Option<String> {
    let by = machine.termination_requested_by.as_deref()?;
    Some(format!("by {by}"))
}

/// What a machine was made from: “ubuntu-24.04 · m1.small”. None: its provider tells neither.
pub fn made_from(machine: &ServerDetail) -> Option<String> {
    let known = [machine.server.image.as_deref(), machine.server.flavor.as_deref()];
    let known: Vec<&str> = known.into_iter().flatten().collect();
    (!known.is_empty()).then(|| known.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_end_is_said_from_the_plan_to_the_deletion() {
        let now = DateTime::default();
        let unneeded = samples::machine(MachineRole::Unneeded);
        assert_eq!(end(&unneeded, now), None, "retention has not noticed it yet");
        let at = |seconds| ServerDetail { ends_at: Some(now + TimeDelta::seconds(seconds)), ..unneeded.clone() };
        assert_eq!(end(&at(19_200), now).as_deref(), Some("in 5 h 20 min"));
        assert_eq!(end(&at(-1), now).as_deref(), Some("now"));
        let by = Some("ada".to_owned());
        let ending = ServerDetail { role: MachineRole::Ending, termination_requested_by: by, ..at(19_200) };
        assert_eq!(end(&ending, now).as_deref(), Some("being deleted"));
        assert_eq!(ended_by(&ending).as_deref(), Some("by ada"));
        let mut ended = ServerDetail { role: MachineRole::Ended, ..ending };
        assert_eq!(end(&ended, now), None, "it was never made");
        ended.server.status = ServerStatus::Terminated;
        assert_eq!(end(&ended, now + TimeDelta::hours(3)).as_deref(), Some("deleted 3 h ago"));
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut machine = samples::machine(MachineRole::Active);
        assert_eq!(made_from(&machine).as_deref(), Some("ubuntu-24.04 · m1.small"));
        machine.server.image = None;
        assert_eq!(made_from(&machine).as_deref(), Some("m1.small"));
        machine.server.flavor = None;
        assert_eq!(made_from(&machine), None);
        assert_eq!(status(&machine), "Ready");
        machine.server.status = ServerStatus::Pending;
        assert_eq!(status(&machine), "Pending");
        machine.role = MachineRole::Ended;
        assert_eq!(status(&machine), "Never made");
        let now = DateTime::default();
        assert_eq!([30, 10_900].map(|s| age(now, now + TimeDelta::seconds(s))), ["just now", "3 h"]);
    }
}
