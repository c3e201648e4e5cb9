//! The state of a pull request and its instance: every report to GitHub is derived from it.

use serde::Deserialize;
use serde_json::Value;
use shared_types::app_server::BuildStepKind;
use shared_types::pull_request::{Approval, PullRequestState};
use shared_types::{AppServerId, AppServerStatus, FieldWarning, InstanceId};

use crate::pull_requests::store::Row;

/// The state of a pull request and its instance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) state: PullRequestState,
    /// The last commit of the branch.
    pub(super) commit: String,
    pub(super) approval: Approval,
    /// Why the description's settings cannot be used.
    pub(super) settings_trouble: Option<String>,
    /// Advice about the description's settings.
    pub(super) warnings: Vec<FieldWarning>,
    /// Why the instance could not be updated.
    pub(super) trouble: Option<String>,
    pub(super) instance: Option<Instance>,
}

/// The instance of the pull request.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) is_archived: bool,
    /// The app server that the traffic is to go to.
    pub(super) active: Option<AppServerId>,
    /// Whether the gateway has applied that.
    pub(super) has_traffic: bool,
    /// Once it is archived: how many machines are not verified gone. Before, 0.
    pub(super) machines: i64,
    /// The newest and the active app server, the older first; only one if they are the same.
    pub(super) builds: Vec<Build>,
}

/// An app server of the instance.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Build {
    pub(super) id: AppServerId,
    pub(super) name: String,
    pub(super) status: AppServerStatus,
    /// The commit that it is built from; none: not resolved yet, or its settings choose code whose commit is not known.
    pub(super) commit: Option<String>,
    pub(super) failure: Option<String>,
    pub(super) failed_step: Option<BuildStepKind>,
    /// Whether a worker has begun the build.
    pub(super) is_begun: bool,
    pub(super) is_to_be_activated: bool,
}

#[derive(Deserialize)]
struct Facts {
    instance: Option<Instance>,
}

impl Standing {
    /// From a row and the facts that were read with it.
    pub(super) fn read(row: &Row, facts: Value) -> Result<Self, serde_json::Error> {
        let Facts { instance } = serde_json::from_value(facts)?;
        Ok(Self {
            state: row.state,
            commit: row.head_commit.clone(),
            approval: row.approval(),
            settings_trouble: row.settings_trouble.clone(),
            warnings: row.warnings(),
            trouble: row.trouble.clone(),
            instance,
        })
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == PullRequestState::Open
    }

    /// Whether its state is final until a user acts: there is no instance, or it is archived and its machines are gone.
    pub(super) fn is_at_rest(&self) -> bool {
        self.instance.as_ref().is_none_or(|instance| instance.is_archived && instance.machines == 0)
    }
}

impl Instance {
    pub(super) fn newest(&self) -> Option<&Build> {
        self.builds.last()
    }

    pub(super) fn active(&self) -> Option<&Build> {
        self.builds.iter().find(|build| Some(build.id) == self.active)
    }

    /// Whether visitors get this app server.
    pub(super) fn is_served_by(&self, build: &Build) -> bool {
        build.status == AppServerStatus::Running && self.has_traffic && self.active == Some(build.id)
    }

    /// The commit that visitors get; none: no app server has the traffic, or its commit is not known.
    pub(super) fn served_commit(&self) -> Option<&str> {
        self.active().filter(|active| self.is_served_by(active)).and_then(|active| active.commit.as_deref())
    }
}
