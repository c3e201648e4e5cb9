//! The jobs of this module: what they carry, which is ids only, and how they are written. What they do is in
//! `worker/handlers.rs`.

use diesel_async::AsyncPgConnection;
use serde::{Deserialize, Serialize};
use shared_types::{AppServerId, InstanceId};

use crate::platform::db::DbError;
use crate::platform::jobs::queue::{self, Job};

/// Goes on with a build.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdvanceAppServer {
    /// Whose.
    pub id: AppServerId,
}

/// Takes up what waits in the queue.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DispatchBuilds {}

/// Takes away a machine whose end was decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TerminateMachine {
    /// The app server that owns it.
    pub id: AppServerId,
}

/// Activates an app server that was to be when it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateWhenRunning {
    /// Which.
    pub id: AppServerId,
}

/// Runs the hooks of an app server that are due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunHooks {
    /// The app server.
    pub id: AppServerId,
}

/// Ends an activation whose hooks have ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ActivateAfterHooks {
    /// The app server.
    pub id: AppServerId,
}

/// Of the version before: sends the mail about a build that failed. What it wants is in the outbox by now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendFailureMail {
    /// Whose build.
    pub id: AppServerId,
}

/// Tells the gateway what was decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyRouting {
    /// Whose traffic.
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
            /// Writes the job.
            ///
            /// # Errors
            /// When the statement fails.
            pub async fn enqueue(conn: &mut AsyncPgConnection, id: $id) -> Result<(), DbError> {
                queue::enqueue(conn, &Self { id }, &Self::key(id)).await
            }

            /// Of waiting jobs with one key there is one.
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
    /// Writes a job for each of these.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, ids: Vec<AppServerId>) -> Result<(), DbError> {
        let jobs: Vec<_> = ids.into_iter().map(|id| (Self { id }, Self::key(id))).collect();
        queue::enqueue_all(conn, &jobs).await
    }
}

impl DispatchBuilds {
    /// Writes the job.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
        queue::enqueue(conn, &Self {}, "dispatch_builds").await
    }
}
