//! The marks beside an instance's name, and what asks for a person. Decided once, here; drawn by the browser.

use crate::app_server::AppServerSummary;
use crate::instance::InstanceSummary;
use crate::{AppServerStatus, Serving};

/// What a mark says of an app server. Each has a shape of its own; colour is never the only sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// Healthy and steady: a check.
    Good,
    /// Healthy and in progress: an ellipsis.
    Busy,
    /// Unhealthy: a cross.
    Bad,
    /// There is no app server: empty.
    None,
}

impl Mark {
    /// The mark of an app server, or of its absence.
    pub fn of(app_server: Option<&AppServerSummary>) -> Self {
        match app_server {
            None => Self::None,
            Some(one) if !one.is_healthy => Self::Bad,
            Some(one) if one.status.is_building() => Self::Busy,
            Some(_) => Self::Good,
        }
    }
}

/// Why an instance needs a person, the most pressing first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Attention {
    /// The app server that has the traffic is not healthy.
    ActiveUnhealthy,
    /// The newest app server's build did not end well.
    BuildFailed,
    /// A newer app server runs and waits to be activated.
    AwaitsActivation,
}

impl InstanceSummary {
    /// Why it needs a person; none if it does not.
    pub fn attention(&self) -> Option<Attention> {
        if self.active_appserver.as_ref().is_some_and(|active| !active.is_healthy) {
            return Some(Attention::ActiveUnhealthy);
        }
        let newer = self.newer()?;
        match newer.status {
            AppServerStatus::Failed | AppServerStatus::Error => Some(Attention::BuildFailed),
            // A newer one that had the traffic and was rolled back from waits for nobody.
            AppServerStatus::Running => (newer.serving == Serving::Idle).then_some(Attention::AwaitsActivation),
            AppServerStatus::New
            | AppServerStatus::Waiting
            | AppServerStatus::Configuring
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped => None,
        }
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

    #[test]
    fn each_status_has_its_mark() {
        let marks: Vec<Mark> =
            AppServerStatus::ALL.iter().map(|status| Mark::of(Some(&server(1, *status, Serving::Idle)))).collect();
        use Mark::{Bad, Busy, Good};
        assert_eq!(marks, [Busy, Busy, Busy, Good, Bad, Bad, Good, Bad]);
        assert_eq!(Mark::of(None), Mark::None);
    }

    #[test]
    fn a_newer_one_asks_for_a_person_when_it_failed_or_waits() {
        use AppServerStatus::{Configuring, Failed, Running};
        let active = server(1, Running, Serving::Active);
        let with = |newest| instance(Some(active.clone()), Some(newest)).attention();
        assert_eq!(with(active.clone()), None);
        assert_eq!(with(server(2, Configuring, Serving::Idle)), None);
        assert_eq!(with(server(2, Failed, Serving::Idle)), Some(Attention::BuildFailed));
        assert_eq!(with(server(2, Running, Serving::Idle)), Some(Attention::AwaitsActivation));
        assert_eq!(with(server(2, Running, Serving::Fallback)), None, "somebody rolled back from it");
        assert_eq!(instance(None, None).attention(), None);
    }
}
