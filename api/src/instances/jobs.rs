//! The job types of this module: their payloads, which are ids only, and how they are enqueued. `worker/handlers.rs`
//! runs them.

use diesel_async::AsyncPgConnection;
use serde::{Deserialize, Serialize};
use shared_types::{AppServerId, InstanceId};

use crate::platform::db::DbError;
use crate::platform::jobs::queue::{self, Job};

/// Continues a build, or stops it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdvanceAppServer {
    pub id: AppServerId,
}

/// Takes up queued builds for free slots.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DispatchBuilds {}

/// Terminates a machine whose termination was requested.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TerminateMachine {
    /// The app server that owns it.
    pub id: AppServerId,
}

/// Activates an app server that was to be activated when it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateWhenRunning {
    pub id: AppServerId,
}

/// Runs the hooks of an app server that are due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunHooks {
    pub id: AppServerId,
}

/// Completes an activation whose hooks have ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateAfterHooks {
    pub id: AppServerId,
}

/// Job of the previous version: sends the mail about a failed build, which is in the outbox by now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendFailureMail {
    pub id: AppServerId,
}

/// Applies the decided routing to the gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyRouting {
    pub id: InstanceId,
}

macro_rules! kinds {
    ($($job:ident as $kind:literal,)*) => {$(
        impl Job for $job {
            const KIND: &'static str = $kind;
        }
    )*};
}

kinds! {
    AdvanceAppServer as "AdvanceAppServer",
    DispatchBuilds as "DispatchBuilds",
    TerminateMachine as "TerminateServer",
    ActivateWhenRunning as "ActivateWhenRunning",
    RunHooks as "RunHooks",
    ActivateAfterHooks as "ActivateAfterHooks",
    SendFailureMail as "SendFailureMail",
    ApplyRouting as "ApplyRouting",
}

macro_rules! enqueue_by_id {
    ($($job:ident($id:ty) as $key:literal,)*) => {$(
        impl $job {
            /// Enqueues the job in the caller's transaction.
            ///
            /// # Errors
            /// [`DbError`] when the statement fails.
            pub async fn enqueue(conn: &mut AsyncPgConnection, id: $id) -> Result<(), DbError> {
                queue::enqueue(conn, &Self { id }, &Self::key(id)).await
            }

            /// Deduplication key: at most one waiting job has it.
            fn key(id: $id) -> String {
                format!(concat!($key, ":{}"), id)
            }
        }
    )*};
}

enqueue_by_id! {
    AdvanceAppServer(AppServerId) as "advance_app_server",
    TerminateMachine(AppServerId) as "terminate_server",
    ActivateWhenRunning(AppServerId) as "activate_when_running",
    RunHooks(AppServerId) as "run_hooks",
    ActivateAfterHooks(AppServerId) as "activate_after_hooks",
    ApplyRouting(InstanceId) as "apply_routing",
}

impl AdvanceAppServer {
    /// Enqueues one job per app server.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, ids: Vec<AppServerId>) -> Result<(), DbError> {
        let jobs: Vec<_> = ids.into_iter().map(|id| (Self { id }, Self::key(id))).collect();
        queue::enqueue_all(conn, &jobs).await
    }
}

impl DispatchBuilds {
    /// Enqueues the job in the caller's transaction.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
        queue::enqueue(conn, &Self {}, "dispatch_builds").await
    }
}
