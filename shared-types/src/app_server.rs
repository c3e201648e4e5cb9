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
    /// No traffic.
    Idle,
    /// It gets the instance's traffic.
    Active,
    /// Replaced a moment ago; requests under way end here.
    Draining,
    /// The one to go back to.
    Fallback,
}

/// The steps of a build, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BuildStepKind {
    /// Every git reference is resolved to a commit.
    Pin,
    /// The configuration repository is checked out, its virtualenv made, and its playbooks are loaded.
    Checkout,
    /// The machine is made and answers SSH.
    Server,
    /// The playbooks run.
    Playbooks,
    /// The machine is restarted, to prove that the services come up by themselves.
    Reboot,
    /// The application answers.
    Checks,
}

impl BuildStepKind {
    /// Every step, in the order of a build.
    pub const ALL: &[Self] = &[Self::Pin, Self::Checkout, Self::Server, Self::Playbooks, Self::Reboot, Self::Checks];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pin => "pin",
            Self::Checkout => "checkout",
            Self::Server => "server",
            Self::Playbooks => "playbooks",
            Self::Reboot => "reboot",
            Self::Checks => "checks",
        }
    }

    /// What a person reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pin => "Pin commits",
            Self::Checkout => "Checkout",
            Self::Server => "Waiting for VM",
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
    /// It did what it should.
    Done,
    /// It ended the build.
    Failed,
    /// It was left, as somebody stopped the build.
    Stopped,
}

/// One step of a build, with its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BuildStep {
    /// Which step.
    pub kind: BuildStepKind,
    /// When it began; null while it has not.
    pub started: Option<DateTime<Utc>>,
    /// When it ended; null while it has not.
    pub ended: Option<DateTime<Utc>>,
    /// How it ended; null while it has not.
    pub outcome: Option<StepOutcome>,
}

/// How far a build has come, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The step under way; null before the first and after the last.
    pub step: Option<BuildStepKind>,
    /// Ansible tasks that have ended, over all playbooks.
    #[schema(minimum = 0)]
    pub tasks_done: i32,
    /// Ansible tasks known beforehand, over all playbooks; 0 while unknown. Handlers and included tasks may add to it.
    #[schema(minimum = 0)]
    pub tasks_total: i32,
    /// The Ansible task under way.
    pub task: Option<String>,
    /// What it waits for; null once it was begun.
    pub queued: Option<Queued>,
    /// When the step under way is given up.
    pub deadline: Option<DateTime<Utc>>,
    /// When the build should end, by earlier builds of the instance, or of all; null while nobody knows.
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

    /// How many tasks are done, of how many; without that once more were done than were known beforehand. None: unknown.
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
            Some(BuildStepKind::Server) => 0.05,
            Some(BuildStepKind::Playbooks) => 0.1 + 0.8 * tasks,
            Some(BuildStepKind::Reboot) => 0.92,
            Some(BuildStepKind::Checks) => 0.97,
        }
    }
}

/// The result of asking the application whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Check {
    /// What was asked, for instance `lms` or `studio`.
    #[schema(example = "lms")]
    pub name: String,
    /// Whether it answered as it should.
    pub is_ok: bool,
    /// What it answered, in words.
    #[schema(example = "200 in 84 ms")]
    pub detail: String,
    /// When it was asked.
    pub checked_at: DateTime<Utc>,
}

/// The last checks of an app server, in the order of the application's list; empty before the first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Checks {
    /// One entry a question.
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
    /// «AppServer {n}»; n counts within the instance and never repeats.
    #[schema(example = "AppServer 2")]
    pub name: String,
    /// How far its build has come.
    pub status: AppServerStatus,
    /// The status as a person reads it.
    pub status_name: String,
    /// The sentence behind the status.
    pub status_description: String,
    /// Whether the status stays until somebody acts.
    pub is_steady: bool,
    /// Whether the build went, or goes, as it should.
    pub is_healthy: bool,
    /// What it is to the visitors.
    pub serving: Serving,
    /// When it was launched.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// Who launched it: a user's name, or what did.
    #[schema(example = "admin")]
    pub requested_by: String,
    /// Why, in the words of who launched it.
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
    /// Whether it is to be activated when its build has ended well.
    pub activate_when_running: bool,
    /// Whether its activation waits for its application's hooks, such as the start of background workers.
    #[serde(default)]
    pub is_activating: bool,
    /// Who asked to stop its build.
    pub stop_requested_by: Option<String>,
    /// Why it failed; null while it did not.
    pub failure: Option<String>,
    /// Whether its machine is there, or may be.
    pub has_machine: bool,
    /// Whether a person keeps it from being taken away.
    pub is_pinned: bool,
    /// When its machine is taken away, as nobody needs it any more; null while somebody does.
    pub terminates_at: Option<DateTime<Utc>>,
    /// How far the build is.
    pub progress: Progress,
}

/// What a playbook run is made of, as the app server's record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaybookRecord {
    /// The repository, a URL or a path.
    pub source_repo: String,
    /// The branch, tag or commit that was asked for.
    pub version: String,
    /// The commit that it was when the build began; null before.
    pub commit: Option<String>,
    /// The playbook's path in the repository.
    pub playbook_path: String,
    /// The path of the Python requirements in the repository; blank where they were given themselves.
    pub requirements_path: String,
    /// The Python requirements, where they were given instead of a path; null otherwise.
    #[serde(default)]
    pub requirements: Option<String>,
}

/// An app server, whole.
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
    /// The last checks.
    pub checks: Checks,
    /// Whether its sites work; null unless it is the active app server of an instance in use.
    pub health: Option<InstanceHealth>,
}

/// A git reference and the commit that it was when the build began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// What it is for.
    #[schema(example = "edx-platform")]
    pub name: String,
    /// The repository.
    pub repository: String,
    /// The branch, tag or commit that was asked for.
    pub version: String,
    /// The commit; null before the build begins, and where the repository could not be asked.
    pub commit: Option<String>,
}

/// A pointer to an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceRef {
    /// Which application it runs.
    #[schema(example = "openedx")]
    pub instance_type: String,
    /// The instance.
    pub id: InstanceId,
    /// Its path.
    #[schema(example = "/api/v1/instances/1")]
    pub api_url: String,
    /// Its name.
    pub name: String,
}

/// How a switch came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ActivationKind {
    /// A person decided it.
    Manual,
    /// It was to be activated when its build had ended well.
    Automatic,
    /// Back to an earlier one.
    Rollback,
}

impl ActivationKind {
    /// Every kind.
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
    /// Its id.
    pub id: ActivationId,
    /// The app server that got the traffic.
    pub app_server_id: AppServerId,
    /// The one that had it before.
    pub replaced_app_server_id: Option<AppServerId>,
    /// Who asked for it.
    pub activated_by: String,
    /// When it was decided.
    pub activated_at: DateTime<Utc>,
    /// When the gateway had it; null while it has not.
    pub applied_at: Option<DateTime<Utc>>,
    /// Why.
    pub reason: Option<String>,
    /// How it came about.
    pub kind: ActivationKind,
    /// Whether the checks were skipped.
    pub is_forced: bool,
    /// When the one before had no request under way any more, or was no longer waited for; null while it drains, and where
    /// there was none.
    pub drained_at: Option<DateTime<Utc>>,
}
