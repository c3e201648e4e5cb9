//! Which deployments and statuses to report to GitHub. Pure functions of [`Standing`].

use shared_types::AppServerStatus;

use super::standing::{Build, Instance, Standing};
use crate::pull_requests::github::{CommitState, DeploymentState};

/// The state of a commit's deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Deployment {
    pub(super) commit: String,
    pub(super) state: DeploymentState,
    pub(super) words: String,
    /// The path of the app server's page.
    pub(super) page: String,
}

/// The state of a commit's build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) commit: String,
    pub(super) state: CommitState,
    /// Whether a build is under way.
    pub(super) is_under_way: bool,
    pub(super) words: String,
    /// The path of the app server's page.
    pub(super) page: String,
}

/// The path of an app server's page.
pub(super) fn page(instance: &Instance, build: &Build) -> String {
    format!("/instances/{}/app-servers/{}", instance.id, build.id)
}

/// The wanted deployments, one per commit: of the active and of the newest app server. Reported deployments that are
/// not among them become inactive.
pub(super) fn deployments(standing: &Standing) -> Vec<Deployment> {
    let mut wanted: Vec<Deployment> = Vec::new();
    let Some(instance) = standing.instance.as_ref().filter(|instance| !instance.is_archived) else { return wanted };
    // The active one first: it wins if both have the same commit.
    for build in instance.active().into_iter().chain(instance.newest()) {
        let Some(commit) = build.commit.as_deref() else { continue };
        if wanted.iter().any(|known| known.commit == commit) {
            continue;
        }
        let (state, words) = deployed(instance, build);
        let words = format!("{} {words}", build.name);
        wanted.push(Deployment { commit: commit.to_owned(), state, words, page: page(instance, build) });
    }
    wanted
}

fn deployed(instance: &Instance, build: &Build) -> (DeploymentState, &'static str) {
    use DeploymentState::{Failure, InProgress, Inactive, Queued, Success};
    let is_active = instance.active == Some(build.id);
    match build.status {
        AppServerStatus::New if !build.is_begun => (Queued, "waits for its turn"),
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => {
            (InProgress, "is being deployed")
        }
        AppServerStatus::Running if is_active && instance.has_traffic => (Success, "has the traffic"),
        // The same words as above: activation is short, and not worth a call.
        AppServerStatus::Running if is_active || build.is_to_be_activated => (InProgress, "is being deployed"),
        AppServerStatus::Running => (Inactive, "runs without traffic"),
        AppServerStatus::Failed | AppServerStatus::Error => (Failure, "could not be built"),
        AppServerStatus::Stopped => (Inactive, "was stopped before it was built"),
        AppServerStatus::Terminated => (Inactive, "is terminated"),
    }
}

/// The wanted statuses, one per commit. Only the commit that visitors get is a success; reported statuses of commits
/// that are not among these are withdrawn.
pub(super) fn statuses(standing: &Standing) -> Vec<Status> {
    let mut wanted: Vec<Status> = Vec::new();
    let Some(instance) = standing.instance.as_ref().filter(|instance| !instance.is_archived) else { return wanted };
    // If both have the same commit, a newest one that is being built or has failed wins over an older one that runs.
    let telling = instance.newest().filter(|build| !is_idle(build));
    for build in telling.into_iter().chain(instance.active()).chain(instance.newest()) {
        let Some(commit) = build.commit.as_deref() else { continue };
        if wanted.iter().any(|known| known.commit == commit) {
            continue;
        }
        let (state, words) = built(instance, build);
        let words = format!("{} {words}", build.name);
        let is_under_way = build.status.is_building();
        wanted.push(Status { commit: commit.to_owned(), state, is_under_way, words, page: page(instance, build) });
    }
    wanted
}

/// Whether the status of another app server with the same commit takes precedence.
fn is_idle(build: &Build) -> bool {
    matches!(build.status, AppServerStatus::Running | AppServerStatus::Stopped | AppServerStatus::Terminated)
}

fn built(instance: &Instance, build: &Build) -> (CommitState, &'static str) {
    use CommitState::{Failure, Pending, Success};
    match build.status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => {
            (Pending, "is being deployed")
        }
        AppServerStatus::Running if instance.is_served_by(build) => (Success, "was built"),
        // The same words as above: activation is short, and not worth a call.
        AppServerStatus::Running if instance.active == Some(build.id) || build.is_to_be_activated => {
            (Pending, "is being deployed")
        }
        AppServerStatus::Running => (Pending, "runs without traffic"),
        AppServerStatus::Terminated => (Pending, "is terminated"),
        AppServerStatus::Failed | AppServerStatus::Error => (Failure, "could not be built"),
        AppServerStatus::Stopped => (Failure, "was stopped before it was built"),
    }
}
