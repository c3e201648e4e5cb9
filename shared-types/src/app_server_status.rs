//! The statuses of an app server, what may follow each, and what a person may do in it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::Serving;

/// How far the build of an app server has come. Ids, names and descriptions are the original's; `stopped` is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum AppServerStatus {
    /// Launched, not yet begun: it waits for a build slot, or its git references are being resolved.
    New,
    /// Its machine was requested from the provider and does not answer yet.
    Waiting,
    /// Playbooks, reboot or checks are in progress.
    Configuring,
    /// Built and checked: it can be activated.
    Running,
    /// The machine came up, but its configuration failed.
    Failed,
    /// No machine came up, or the build could not begin.
    Error,
    /// It ran, and its machine was deleted.
    Terminated,
    /// The build was stopped on request.
    Stopped,
}

impl AppServerStatus {
    /// Every status, in the order of a build's life.
    pub const ALL: &[Self] = &[
        Self::New,
        Self::Waiting,
        Self::Configuring,
        Self::Running,
        Self::Failed,
        Self::Error,
        Self::Terminated,
        Self::Stopped,
    ];
    /// Statuses with a build in progress. They decide marks, deadlines and what can be stopped.
    pub const BUILDING: &[Self] = &[Self::New, Self::Waiting, Self::Configuring];
    /// Statuses that last: all but `waiting` and `configuring`.
    pub const STEADY: &[Self] = &[Self::New, Self::Running, Self::Failed, Self::Error, Self::Terminated, Self::Stopped];
    /// Statuses of builds that succeeded: the app server runs, or did.
    pub const SUCCESSFUL: &[Self] = &[Self::Running, Self::Terminated];
    /// Statuses of builds that failed by themselves.
    pub const FAILED: &[Self] = &[Self::Failed, Self::Error];
    /// Statuses that no other follows.
    pub const FINAL: &[Self] = &[Self::Terminated, Self::Stopped, Self::Failed, Self::Error];
    /// Statuses after a build in which the machine may still exist, unless its termination was requested.
    pub const BUILT: &[Self] = &[Self::Running, Self::Failed, Self::Error, Self::Stopped];
    /// Statuses of builds that failed or were stopped.
    pub const UNHEALTHY: &[Self] = &[Self::Failed, Self::Error, Self::Stopped];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Waiting => "waiting",
            Self::Configuring => "configuring",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Terminated => "terminated",
            Self::Stopped => "stopped",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Waiting => "Waiting for VM",
            Self::Configuring => "Configuring VM",
            Self::Running => "Running",
            Self::Failed => "Configuration failed",
            Self::Error => "Error",
            Self::Terminated => "Terminated",
            Self::Stopped => "Stopped",
        }
    }

    /// The status explained in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::New => "Newly created",
            Self::Waiting => "VM not yet accessible",
            Self::Configuring => "Running Ansible playbooks on VM",
            Self::Running => "App server is up and running",
            Self::Failed => "App server was not configured successfully (but may be partially online)",
            Self::Error => {
                "App server never got up and running (something went wrong before its VM could be configured)"
            }
            Self::Terminated => "App server was running successfully and has been shut down",
            Self::Stopped => "The build was stopped before it ended",
        }
    }

    /// Whether the status lasts: see [`Self::STEADY`].
    pub fn is_steady(self) -> bool {
        Self::STEADY.contains(&self)
    }

    /// Whether the build has neither failed nor been stopped; says nothing of the live application, see
    /// [`crate::app_server::Checks`].
    pub fn is_healthy(self) -> bool {
        !Self::UNHEALTHY.contains(&self)
    }

    /// Whether a build is in progress.
    pub fn is_building(self) -> bool {
        Self::BUILDING.contains(&self)
    }

    /// The statuses that may follow. Rust code and the database refuse any other change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::New => &[Self::Waiting, Self::Error, Self::Stopped],
            Self::Waiting => &[Self::Configuring, Self::Error, Self::Stopped],
            Self::Configuring => &[Self::Running, Self::Failed, Self::Stopped],
            Self::Running => &[Self::Terminated],
            Self::Failed | Self::Error | Self::Terminated | Self::Stopped => &[],
        }
    }

    /// Whether `to` may follow this status.
    pub fn can_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }
}

/// Whether an action on an app server is possible now, and if not, why. Browser and server ask the same functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Possible {
    /// It can be done.
    Yes,
    /// It cannot be done; a sentence says why.
    No(&'static str),
}

impl Possible {
    /// Possible only if both are; otherwise the reason of the first that is not.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match self {
            Self::Yes => other,
            Self::No(_) => self,
        }
    }

    /// Why it cannot be done; none if it can.
    pub const fn why_not(self) -> Option<&'static str> {
        match self {
            Self::Yes => None,
            Self::No(why) => Some(why),
        }
    }
}

/// Whether an app server with this status and traffic can be activated.
pub fn can_activate(status: AppServerStatus, serving: Serving) -> Possible {
    match (status, serving) {
        (_, Serving::Active) => Possible::No("It is active already."),
        (AppServerStatus::Running, Serving::Idle | Serving::Draining | Serving::Fallback) => Possible::Yes,
        (AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring, _) => {
            Possible::No("It is still being built; it must be running to be activated.")
        }
        (AppServerStatus::Failed | AppServerStatus::Error | AppServerStatus::Stopped, _) => {
            Possible::No("Cannot make an unhealthy app server active.")
        }
        (AppServerStatus::Terminated, _) => Possible::No("Its machine has been terminated."),
    }
}

/// The largest drain limit of a replaced app server, in seconds.
pub const MAX_DRAIN_LIMIT: i32 = 3600;

/// Whether an app server can be activated now or, while it is being built, once its build succeeds.
pub fn can_activate_when_running(status: AppServerStatus, serving: Serving) -> Possible {
    if status.is_building() { Possible::Yes } else { can_activate(status, serving) }
}

/// Whether an instance can have traffic at all.
pub fn can_have_traffic(is_archived: bool) -> Possible {
    if is_archived {
        return Possible::No("The instance is archived; restore it to give its traffic to an app server.");
    }
    Possible::Yes
}

/// Whether a rollback to this app server is possible: the fallback, or the one that the request names. None: there is
/// no fallback.
pub fn can_roll_back(target: Option<(AppServerStatus, Serving)>) -> Possible {
    match target {
        Some((status, serving)) => can_activate(status, serving),
        None => Possible::No(
            "There is no app server to go back to: none was active before, or its machine has been terminated. \
             Activate another one.",
        ),
    }
}

/// Whether the build of an app server with this status can be stopped.
pub fn can_stop(status: AppServerStatus) -> Possible {
    match status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => Possible::Yes,
        AppServerStatus::Running => Possible::No("The build is finished; use Terminate to delete its machine."),
        AppServerStatus::Failed | AppServerStatus::Error => {
            Possible::No("The build has failed; use Terminate to delete its machine.")
        }
        AppServerStatus::Terminated | AppServerStatus::Stopped => Possible::No("Nothing of it runs any more."),
    }
}

/// Whether the machine of an app server can be deleted.
pub fn can_terminate(status: AppServerStatus, serving: Serving) -> Possible {
    match (status, serving) {
        (_, Serving::Active) => Possible::No("It is active; activate another one first, or archive the instance."),
        (_, Serving::Draining) => Possible::No("Still draining after the switch; try again in a moment."),
        (AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring, _) => {
            Possible::No("It is still being built; stop the build.")
        }
        (
            AppServerStatus::Running
            | AppServerStatus::Failed
            | AppServerStatus::Error
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped,
            Serving::Idle | Serving::Fallback,
        ) => Possible::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVINGS: [Serving; 4] = [Serving::Idle, Serving::Active, Serving::Draining, Serving::Fallback];

    #[test]
    fn only_what_runs_is_activated_now_and_what_is_built_may_be_later() {
        for status in AppServerStatus::ALL {
            for serving in SERVINGS {
                let now = can_activate(*status, serving) == Possible::Yes;
                assert_eq!(now, *status == AppServerStatus::Running && serving != Serving::Active, "{status:?}");
                let later = can_activate_when_running(*status, serving) == Possible::Yes;
                assert_eq!(later, now || status.is_building(), "{status:?} {serving:?}");
                assert_eq!(can_roll_back(Some((*status, serving))), can_activate(*status, serving));
            }
        }
    }

    #[test]
    fn without_a_fallback_or_in_an_archived_instance_there_is_no_way() {
        assert!(matches!(can_roll_back(None), Possible::No(why) if why.contains("Activate another one")));
        assert_eq!(can_have_traffic(false), Possible::Yes);
        assert!(matches!(can_have_traffic(true), Possible::No(why) if why.contains("restore it")));
    }
}
