//! The marks beside an instance's name, and what needs attention. Computed here, drawn by the browser.
//!
//! An instance has two axes, and each has its mark: whether its sites work (the disc, from the checks), and how its newest
//! build went (the ring, from the build's status). The two are independent.

use crate::app_server::AppServerSummary;
use crate::health::HealthState;
use crate::instance::InstanceSummary;
use crate::{AppServerStatus, Serving};

/// The meaning of a mark. Each has a shape of its own; colour is never the only sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The sites work, or the build succeeded: a check.
    Good,
    /// At least one site fails, and the main one works: an exclamation mark.
    Degraded,
    /// The main site fails: a cross.
    Down,
    /// It is not known whether the sites work: a question mark.
    Unknown,
    /// The build is in progress: an ellipsis.
    Busy,
    /// The build failed: a cross.
    Bad,
    /// There is no app server: empty.
    None,
}

impl Mark {
    /// The mark of an instance's sites.
    pub fn of_sites(instance: &InstanceSummary) -> Self {
        match (&instance.active_appserver, &instance.health) {
            (None, _) => Self::None,
            (Some(_), Some(health)) => Self::of_health(health.state),
            (Some(_), None) => Self::Unknown,
        }
    }

    /// The mark of a state of health.
    pub const fn of_health(state: HealthState) -> Self {
        match state {
            HealthState::Ok => Self::Good,
            HealthState::Unknown => Self::Unknown,
            HealthState::Degraded => Self::Degraded,
            HealthState::Down => Self::Down,
        }
    }

    /// The mark of a build.
    pub fn of_build(app_server: &AppServerSummary) -> Self {
        match app_server.is_healthy {
            false => Self::Bad,
            true if app_server.status.is_building() => Self::Busy,
            true => Self::Good,
        }
    }
}

/// Why an instance needs attention, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attention {
    /// The main site fails.
    Down,
    /// At least one other site fails.
    Degraded,
    /// The build of the newest app server failed.
    BuildFailed,
    /// A newer app server runs and is ready to be activated.
    AwaitsActivation,
}

impl InstanceSummary {
    /// The most urgent reason why it needs attention; none if it does not.
    pub fn attention(&self) -> Option<Attention> {
        self.serving_attention().or_else(|| self.build_attention())
    }

    /// Why its sites need attention. Unknown health is no reason: nothing is known to fail.
    pub fn serving_attention(&self) -> Option<Attention> {
        match self.health_state()? {
            HealthState::Ok | HealthState::Unknown => None,
            HealthState::Degraded => Some(Attention::Degraded),
            HealthState::Down => Some(Attention::Down),
        }
    }

    /// Why its newest app server needs attention.
    pub fn build_attention(&self) -> Option<Attention> {
        let newer = self.newer()?;
        match newer.status {
            AppServerStatus::Failed | AppServerStatus::Error => Some(Attention::BuildFailed),
            // An app server that was rolled back from does not wait for an activation.
            AppServerStatus::Running => (newer.serving == Serving::Idle).then_some(Attention::AwaitsActivation),
            AppServerStatus::New
            | AppServerStatus::Waiting
            | AppServerStatus::Configuring
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped => None,
        }
    }

    /// The state of its sites' health; none where no app server is active.
    pub fn health_state(&self) -> Option<HealthState> {
        self.active_appserver.as_ref()?;
        Some(self.health.as_ref().map_or(HealthState::Unknown, |health| health.state))
    }

    /// Whether one of its app servers is being built, as far as the summary shows.
    pub fn is_building(&self) -> bool {
        self.newest_appserver.as_ref().is_some_and(|newest| newest.status.is_building())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::health::InstanceHealth;
    use serde_json::json;

    pub(crate) fn server(id: i64, status: AppServerStatus, serving: Serving) -> AppServerSummary {
        serde_json::from_value(json!({
            "id": id, "api_url": "", "instance_id": 1, "name": format!("AppServer {id}"), "status": status,
            "status_name": status.name(), "status_description": status.description(), "is_steady": status.is_steady(),
            "is_healthy": status.is_healthy(), "serving": serving, "created": "2026-01-01T00:00:00Z",
            "modified": "2026-01-01T00:00:00Z", "requested_by": "admin", "reason": null, "failure": null,
            "trigger": "user", "attempt": 1, "num_attempts": 1, "retry_of": null, "activate_when_running": false,
            "stop_requested_by": null, "has_machine": true, "is_pinned": false, "terminates_at": null,
            "progress": {"step": null, "tasks_done": 0, "tasks_total": 0, "task": null, "queued": null, "deadline": null,
                "estimated_end": null},
        }))
        .unwrap()
    }

    fn instance(active: Option<AppServerSummary>, newest: Option<AppServerSummary>) -> InstanceSummary {
        InstanceSummary {
            id: crate::InstanceId(1),
            api_url: String::new(),
            name: "Demo".into(),
            instance_type: "openedx".into(),
            domain: "demo.localhost".into(),
            created: Default::default(),
            modified: Default::default(),
            archived_at: None,
            has_hold: false,
            appserver_count: 2,
            active_appserver: active,
            newest_appserver: newest,
            health: None,
        }
    }

    fn with_health(state: HealthState, newest: Option<AppServerSummary>) -> InstanceSummary {
        let health = InstanceHealth { state, failing: Vec::new(), since: Default::default(), checked_at: None };
        let active = server(1, AppServerStatus::Running, Serving::Active);
        InstanceSummary { health: Some(health), ..instance(Some(active.clone()), newest.or(Some(active))) }
    }

    #[test]
    fn the_ring_shows_how_the_build_went() {
        let marks: Vec<Mark> =
            AppServerStatus::ALL.iter().map(|status| Mark::of_build(&server(1, *status, Serving::Idle))).collect();
        use Mark::{Bad, Busy, Good};
        assert_eq!(marks, [Busy, Busy, Busy, Good, Bad, Bad, Good, Bad]);
    }

    #[test]
    fn the_disc_shows_the_checks_and_not_the_build() {
        let marks = HealthState::ALL.iter().map(|state| Mark::of_sites(&with_health(*state, None))).collect::<Vec<_>>();
        assert_eq!(marks, [Mark::Good, Mark::Unknown, Mark::Degraded, Mark::Down]);
        let running = server(1, AppServerStatus::Running, Serving::Active);
        let unchecked = instance(Some(running), None);
        assert_eq!(Mark::of_sites(&unchecked), Mark::Unknown, "a build that succeeded proves nothing");
        assert_eq!(Mark::of_sites(&instance(None, None)), Mark::None);
    }

    #[test]
    fn failing_sites_come_before_builds_and_unknown_health_is_no_attention() {
        use HealthState::{Degraded, Down, Ok, Unknown};
        let failed = || Some(server(2, AppServerStatus::Failed, Serving::Idle));
        let why = |state, newest| with_health(state, newest).attention();
        assert_eq!(
            [Ok, Unknown, Degraded, Down].map(|state| why(state, None)),
            [None, None, Some(Attention::Degraded), Some(Attention::Down)]
        );
        assert_eq!(why(Down, failed()), Some(Attention::Down));
        assert_eq!(with_health(Down, failed()).build_attention(), Some(Attention::BuildFailed), "both are told");
        assert_eq!(why(Unknown, failed()), Some(Attention::BuildFailed));
        assert!(Attention::Down < Attention::Degraded && Attention::Degraded < Attention::BuildFailed);
    }

    #[test]
    fn a_newer_app_server_needs_attention_when_it_failed_or_waits() {
        use AppServerStatus::{Configuring, Failed, Running};
        let active = server(1, Running, Serving::Active);
        let with = |newest| instance(Some(active.clone()), Some(newest)).attention();
        assert_eq!(with(active.clone()), None);
        assert_eq!(with(server(2, Configuring, Serving::Idle)), None);
        assert_eq!(with(server(2, Failed, Serving::Idle)), Some(Attention::BuildFailed));
        assert_eq!(with(server(2, Running, Serving::Idle)), Some(Attention::AwaitsActivation));
        assert_eq!(with(server(2, Running, Serving::Fallback)), None, "it was rolled back from");
        assert_eq!(instance(None, None).attention(), None);
    }
}
