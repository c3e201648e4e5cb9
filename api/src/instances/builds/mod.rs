//! Builds an app server: pin, checkout, databases outside the machine, machine, snapshot of the databases before a migration, playbooks,
//! reboot, checks.
//!
//! One worker holds the lease of a build. Each step reads the current state, may be repeated, and ends in one fenced
//! transaction that records the next step; so another worker can continue from what is stored.

mod builder;
pub mod compare;
mod drive;
pub mod failure_mail;
mod fencing;
mod halt;
pub(super) mod hooks;
pub mod launch;
pub mod lease;
pub mod migration;
mod neutralise;
mod people;
mod pin;
mod playbooks;
pub mod queue;
mod reasons;
mod resources;
mod room;
mod slots;
mod snapshot;
mod steps;
pub mod stop;
pub mod terminate;
pub(super) mod words;

use std::sync::Arc;

use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus};

use super::Manager;
use super::application::ApplicationError;
use super::settings::opened::Opened;
use super::store::app_servers::{self, AppServerRow};
use super::store::builds::{self, BuildRow};
use crate::ansible::port::AnsibleError;
use crate::git::port::GitError;
use crate::instances::builds::lease::{Lease, Lost};
use crate::instances::builds::slots::Slot;
use crate::machines::advance::MachineError;
use crate::machines::store::Owner;
use crate::platform::db::DbError;
use crate::platform::logs::Mask;
use crate::resources::ResourceError;

pub use builder::{Builder, HOOKS};
pub(super) use steps::patience;

/// Why a step failed or was interrupted.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The build fails, and another attempt would fail, too. The reason, for users.
    #[error("{0}")]
    Permanent(String),
    /// The build fails; another attempt may succeed. The reason, for users.
    #[error("{0}")]
    Fatal(String),
    /// Retried until the step's deadline. The reason, for users.
    #[error("{0}")]
    Transient(String),
    /// The provider makes no machine until others are gone: the build goes back into the queue. The reason, for users.
    #[error("{0}")]
    NoRoom(String),
    /// The lease is lost, this worker shuts down, or a stop was requested. The step must do nothing more.
    #[error("the build goes on elsewhere or later")]
    Interrupted,
    /// The database failed. The build continues when it is back.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<Lost> for StepError {
    fn from(_: Lost) -> Self {
        Self::Interrupted
    }
}

impl From<diesel::result::Error> for StepError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<ApplicationError> for StepError {
    fn from(ApplicationError(words): ApplicationError) -> Self {
        Self::Permanent(words)
    }
}

impl From<MachineError> for StepError {
    fn from(error: MachineError) -> Self {
        match error {
            MachineError::Refused(words) => Self::Permanent(format!("Unable to start a server: {words}")),
            MachineError::Broken(words) => Self::Fatal(format!("Unable to start a server: {words}")),
            MachineError::Gone { .. } => Self::Fatal(format!("Unable to start a server: {error}")),
            MachineError::OtherHostKey(words) => Self::Fatal(words),
            MachineError::Away(words) => Self::Transient(words),
            MachineError::Full(words) => Self::NoRoom(words),
            MachineError::Db(error) => Self::Db(error),
        }
    }
}

impl From<ResourceError> for StepError {
    fn from(error: ResourceError) -> Self {
        match error {
            ResourceError::Refused(words) | ResourceError::Vanished(words) => Self::Permanent(words),
            ResourceError::Taken(words) => Self::Fatal(words),
            ResourceError::Busy(_) => Self::Transient(error.to_string()),
            ResourceError::Away(words) | ResourceError::Unfinished(words) => Self::Transient(words),
            ResourceError::Db(error) => Self::Db(error),
        }
    }
}

impl From<GitError> for StepError {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Permanent(words) => Self::Permanent(words),
            GitError::Transient(words) => Self::Transient(words),
            GitError::Refused(_) | GitError::Cancelled => Self::Interrupted,
        }
    }
}

impl From<AnsibleError> for StepError {
    fn from(error: AnsibleError) -> Self {
        match error {
            AnsibleError::Permanent(words) => Self::Permanent(words),
            AnsibleError::Transient(words) => Self::Transient(words),
            AnsibleError::Sink(_) | AnsibleError::Cancelled => Self::Interrupted,
        }
    }
}

/// One build under a lease, as stored at the beginning of a step.
#[derive(Debug)]
struct Build<'a> {
    manager: &'a Manager,
    lease: &'a Lease,
    slot: &'a Slot,
    row: AppServerRow,
    state: BuildRow,
    known: Known,
}

/// What never changes of a build: what it is made from, and the secrets to mask in that.
#[derive(Debug, Clone)]
struct Known {
    opened: Arc<Opened>,
    mask: Mask,
}

impl<'a> Build<'a> {
    /// Reads what is stored now. `known`: if it was read before.
    async fn load(
        manager: &'a Manager,
        (lease, slot): (&'a Lease, &'a Slot),
        known: Option<Known>,
    ) -> Result<Self, DbError> {
        let id = lease.app_server;
        let missing = || DbError::Corrupt(format!("app server {id} is missing"));
        let mut conn = manager.db.conn().await?;
        let row = app_servers::find(&mut conn, id).await?.ok_or_else(missing)?;
        let state = builds::find(&mut conn, id).await?.ok_or_else(missing)?;
        let known = match known {
            Some(known) => known,
            None => {
                let opened = Opened::of(manager, &mut conn, &row).await?;
                Known { mask: words::mask(&opened), opened: Arc::new(opened) }
            }
        };
        Ok(Self { manager, lease, slot, row, state, known })
    }

    fn id(&self) -> AppServerId {
        self.row.id
    }

    fn owner(&self) -> Owner {
        Owner { instance: self.row.instance_id, app_server: self.row.id }
    }

    /// The step to do: the one that was begun, or the first of the status. None: the build is over.
    fn step(&self) -> Option<BuildStepKind> {
        let first = match self.row.status {
            AppServerStatus::New => BuildStepKind::Pin,
            AppServerStatus::Waiting => BuildStepKind::Server,
            AppServerStatus::Configuring => BuildStepKind::Playbooks,
            AppServerStatus::Running
            | AppServerStatus::Failed
            | AppServerStatus::Error
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped => return None,
        };
        Some(self.state.step.unwrap_or(first))
    }
}
