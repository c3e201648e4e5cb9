//! An app server: one immutable build of an instance, on a machine of its own.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::app_server_status::{
    AppServerStatus, MAX_DRAIN_LIMIT, Possible, can_activate, can_activate_when_running, can_have_traffic,
    can_roll_back, can_stop, can_terminate,
};
use crate::health::InstanceHealth;
use crate::ids::{ActivationId, AppServerId, InstanceId};
use crate::launch::Trigger;
use crate::queue::Queued;
use crate::server::Server;

/// What an app server is to the instance's visitors; independent of how its build went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Serving {
    /// It gets no traffic and is not the fallback.
    Idle,
    /// It gets the instance's traffic.
    Active,
    /// It was replaced; requests in progress still end here.
    Draining,
    /// The app server that a rollback activates unless it names another.
    Fallback,
}

/// The steps of a build, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum BuildStepKind {
    /// Every git reference is resolved to a commit.
    Pin,
    /// The configuration repository is checked out, its virtualenv made, and its playbooks are loaded.
    Checkout,
    /// Databases and accounts outside the machine are made. Only builds of app servers that use any have this step.
    Resources,
    /// The machine is created and answers SSH.
    Server,
    /// The databases outside the machine are backed up, behind the maintenance page. Only builds that migrate them have this step.
    Snapshot,
    /// The playbooks configure the machine.
    Playbooks,
    /// The machine is restarted, to prove that the services come up by themselves.
    Reboot,
    /// The application's checks are repeated until they pass or the step times out.
    Checks,
}

impl BuildStepKind {
    /// Every step, in the order of a build.
    pub const ALL: &[Self] = &[
        Self::Pin,
        Self::Checkout,
        Self::Resources,
        Self::Server,
        Self::Snapshot,
        Self::Playbooks,
        Self::Reboot,
        Self::Checks,
    ];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Checkout => "checkout",
            Self::Resources => "resources",
            Self::Server => "server",
            Self::Snapshot => "snapshot",
            Self::Playbooks => "playbooks",
            Self::Reboot => "reboot",
            Self::Checks => "checks",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pin => "Pin commits",
            Self::Checkout => "Checkout",
            Self::Resources => "Databases",
            Self::Server => "Waiting for machine",
            Self::Snapshot => "Snapshot",
            Self::Playbooks => "Playbooks",
            Self::Reboot => "Reboot",
            Self::Checks => "Checks",
        }
    }
}

/// How a step of a build ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// The step ended without an error.
    Done,
    /// The step failed and ended the build.
    Failed,
    /// The build was stopped during this step.
    Stopped,
}

/// One step of a build, with its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildStep {
    /// The step that these times belong to.
    pub kind: BuildStepKind,
    /// When the step began; null before that.
    pub started: Option<DateTime<Utc>>,
    /// When the step ended; null before that.
    pub ended: Option<DateTime<Utc>>,
    /// How the step ended; null before that.
    pub outcome: Option<StepOutcome>,
}

/// How far a build has come, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The step in progress; null before the first and after the last.
    pub step: Option<BuildStepKind>,
    /// Ansible tasks that have ended, over all playbooks.
    #[schema(minimum = 0)]
    pub tasks_done: i32,
    /// Ansible tasks known beforehand, over all playbooks; 0 while unknown. Handlers and included tasks may add to it.
    #[schema(minimum = 0)]
    pub tasks_total: i32,
    /// The Ansible task in progress.
    pub task: Option<String>,
    /// What the build waits for; null once a worker has begun it.
    pub queued: Option<Queued>,
    /// When the step in progress times out.
    pub deadline: Option<DateTime<Utc>>,
    /// When the build should end, estimated from earlier builds of the instance or of all; null while unknown.
    pub estimated_end: Option<DateTime<Utc>>,
}

impl Progress {
    /// The share of the tasks that are done, 0 to 1.
    pub fn tasks_share(&self) -> f64 {
        match (self.tasks_done, self.tasks_total) {
            (_, ..=0) => 0.0,
            (done, total) => (f64::from(done) / f64::from(total)).min(1.0),
        }
    }

    /// `3 of 12`, or only `14` once more tasks are done than were known beforehand. None while the total is unknown.
    pub fn tasks_words(&self) -> Option<String> {
        match (self.tasks_done, self.tasks_total) {
            (_, ..=0) => None,
            (done, total) if done > total => Some(done.to_string()),
            (done, total) => Some(format!("{done} of {total}")),
        }
    }

    /// The share of the build that is done, 0 to 1. The playbooks count for four fifths of it.
    pub fn share(&self) -> f64 {
        let tasks = self.tasks_share();
        match self.step {
            None | Some(BuildStepKind::Pin) => 0.0,
            Some(BuildStepKind::Checkout) => 0.02,
            Some(BuildStepKind::Resources) => 0.04,
            Some(BuildStepKind::Server) => 0.05,
            Some(BuildStepKind::Snapshot) => 0.08,
            Some(BuildStepKind::Playbooks) => 0.1 + 0.8 * tasks,
            Some(BuildStepKind::Reboot) => 0.92,
            Some(BuildStepKind::Checks) => 0.97,
        }
    }
}

/// The result of one check of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// The check's name, for instance `lms` or `studio`.
    #[schema(example = "school")]
    pub name: String,
    /// Whether the application answered as expected.
    pub is_ok: bool,
    /// The application's answer, in words.
    #[schema(example = "200 in 84 ms")]
    pub detail: String,
    /// When the check was made.
    pub checked_at: DateTime<Utc>,
}

/// The last checks of an app server, in the order of the application's list; empty before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checks {
    /// One entry for each check.
    pub items: Vec<Check>,
}

impl Checks {
    /// Whether there are checks and all of them passed.
    pub fn passed(&self) -> bool {
        !self.items.is_empty() && self.items.iter().all(|check| check.is_ok)
    }
}

/// An app server as it is embedded everywhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppServerSummary {
    /// The id, unique over all instances.
    pub id: AppServerId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/app-servers/7")]
    pub api_url: String,
    /// The instance it belongs to.
    pub instance_id: InstanceId,
    /// “AppServer {n}”; n counts within the instance and never repeats.
    #[schema(example = "AppServer 2")]
    pub name: String,
    /// How far its build has come.
    pub status: AppServerStatus,
    /// The status as a person reads it.
    pub status_name: String,
    /// The status explained in a sentence.
    pub status_description: String,
    /// Whether the status lasts; false only for `waiting` and `configuring`.
    pub is_steady: bool,
    /// Whether the build has neither failed nor been stopped.
    pub is_healthy: bool,
    /// Its role for the instance's visitors.
    pub serving: Serving,
    /// When it was launched.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The user, token or automation that launched it, by name.
    #[schema(example = "admin")]
    pub requested_by: String,
    /// The reason given at the launch; null if none was given.
    pub reason: Option<String>,
    /// What caused the launch.
    pub trigger: Trigger,
    /// Which attempt this is, from 1.
    #[schema(minimum = 1)]
    pub attempt: i32,
    /// How many attempts there are at most.
    #[schema(minimum = 1)]
    pub num_attempts: i32,
    /// The attempt before, which failed.
    pub retry_of: Option<AppServerId>,
    /// Whether it will be activated automatically once its build succeeds.
    pub activate_when_running: bool,
    /// Whether its activation waits for its application's hooks, such as the start of background workers.
    #[serde(default)]
    pub is_activating: bool,
    /// Who asked to stop its build; null if no stop was requested.
    pub stop_requested_by: Option<String>,
    /// Why the build failed; null unless it failed.
    pub failure: Option<String>,
    /// Whether its machine exists or may still exist.
    pub has_machine: bool,
    /// Whether it is pinned, so that its machine is not deleted automatically.
    pub is_pinned: bool,
    /// When its machine will be deleted because the app server is no longer needed; null while that is not planned.
    pub terminates_at: Option<DateTime<Utc>>,
    /// How far the build has come.
    pub progress: Progress,
}

/// A playbook and its source, as stored with the app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaybookRecord {
    /// The repository, a URL or a path.
    pub source_repo: String,
    /// The branch, tag or commit that the settings name.
    pub version: String,
    /// The commit that `version` was resolved to when the build began; null before that.
    pub commit: Option<String>,
    /// The playbook's path in the repository.
    pub playbook_path: String,
    /// The path of the Python requirements in the repository; blank if `requirements` has them.
    pub requirements_path: String,
    /// The Python requirements themselves, if they were given instead of a path; null otherwise.
    #[serde(default)]
    pub requirements: Option<String>,
}

/// An app server with its configuration, build and checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppServer {
    /// The fields of the summary.
    #[serde(flatten)]
    pub summary: AppServerSummary,
    /// The instance it belongs to.
    pub instance: InstanceRef,
    /// The machine it owns.
    pub server: Server,
    /// The steps of its build, in order; those not yet begun have no times.
    pub steps: Vec<BuildStep>,
    /// The instance's settings at the moment of the launch. They never change.
    #[schema(value_type = Object)]
    pub configuration: serde_json::Value,
    /// The merged variables that Ansible is given, as YAML.
    pub configuration_settings: String,
    /// The playbooks, with the commits they were pinned to.
    pub playbooks: Vec<PlaybookRecord>,
    /// Further git references, pinned when the build began.
    pub pins: Vec<Pin>,
    /// The results of the last checks; empty before the first.
    pub checks: Checks,
    /// Whether its sites work; null unless it is the active app server of an instance in use.
    pub health: Option<InstanceHealth>,
}

/// A git reference and the commit that it was resolved to when the build began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// The code that the reference is for.
    #[schema(example = "courses")]
    pub name: String,
    /// The repository's URL or path, without a password.
    pub repository: String,
    /// The branch, tag or commit that the settings name.
    pub version: String,
    /// The commit; null before the build begins, and where the repository could not be asked.
    pub commit: Option<String>,
}

/// A pointer to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceRef {
    /// Which application it runs.
    #[schema(example = "site")]
    pub instance_type: String,
    /// The id, unique over all instances.
    pub id: InstanceId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/instances/1")]
    pub api_url: String,
    /// The instance's name, as it is now.
    pub name: String,
}

/// What caused a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// A request to activate the app server.
    Manual,
    /// The app server was to be activated once its build succeeded.
    Automatic,
    /// A request to go back to an earlier app server.
    Rollback,
}

impl ActivationKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Manual, Self::Automatic, Self::Rollback];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automatic => "automatic",
            Self::Rollback => "rollback",
        }
    }
}

/// One switch of an instance's traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Activation {
    /// The id, unique over all instances.
    pub id: ActivationId,
    /// The app server that got the traffic.
    pub app_server_id: AppServerId,
    /// The app server that had the traffic before; null if there was none.
    pub replaced_app_server_id: Option<AppServerId>,
    /// The user, token or automation that asked for it, by name.
    pub activated_by: String,
    /// When the switch was decided.
    pub activated_at: DateTime<Utc>,
    /// When the gateway applied it; null before that.
    pub applied_at: Option<DateTime<Utc>>,
    /// The reason given with the request; null if none was given.
    pub reason: Option<String>,
    /// What caused the switch.
    pub kind: ActivationKind,
    /// Whether the checks were skipped.
    pub is_forced: bool,
    /// When the replaced app server had no more requests in progress or its drain limit passed; null while it drains,
    /// and if none was replaced.
    pub drained_at: Option<DateTime<Utc>>,
}
