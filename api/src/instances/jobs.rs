//! The jobs of this module. They carry ids only and read the world anew; each may run twice. What they do is in `worker/mod.rs`'
//! hands.

use diesel_async::AsyncPgConnection;
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use serde::{Deserialize, Serialize};
use shared_types::{AppServerId, InstanceId};

use crate::instances::builds::Builder;
use crate::platform::db::DbError;
use crate::platform::jobs::queue;
use crate::platform::jobs::span::spanned;

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

fn builder(context: &WorkerContext) -> Result<Builder, String> {
    context.get_ext::<Builder>().cloned().ok_or_else(|| "the worker has no builder".to_owned())
}

impl TaskHandler for AdvanceAppServer {
    const IDENTIFIER: &'static str = "AdvanceAppServer";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder = builder(&context)?;
        let done = spanned(&context, Self::IDENTIFIER, Some(self.id.0), builder.advance(self.id)).await;
        done.map_err(|error| error.to_string())
    }
}

impl TaskHandler for DispatchBuilds {
    const IDENTIFIER: &'static str = "DispatchBuilds";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        spanned(&context, Self::IDENTIFIER, None, async { builder(&context).map(|builder| builder.dispatch_soon()) })
            .await
    }
}

impl TaskHandler for TerminateMachine {
    const IDENTIFIER: &'static str = "TerminateServer";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder = builder(&context)?;
        let work = super::builds::terminate::remove(builder.manager(), self.id);
        // One that is not free yet is found by the next sweep.
        let removed = spanned(&context, Self::IDENTIFIER, Some(self.id.0), work).await;
        removed.map(drop).map_err(|error| error.to_string())
    }
}

impl TaskHandler for ActivateWhenRunning {
    const IDENTIFIER: &'static str = "ActivateWhenRunning";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder = builder(&context)?;
        let work = super::traffic::when_running::when_running(builder.manager(), self.id);
        let done = spanned(&context, Self::IDENTIFIER, Some(self.id.0), work).await;
        done.map_err(|error| error.to_string())
    }
}

impl TaskHandler for SendFailureMail {
    const IDENTIFIER: &'static str = "SendFailureMail";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder = builder(&context)?;
        let work = async { super::builds::failure_mail::adopt(&mut *builder.manager().db.conn().await?).await };
        let sent = spanned(&context, Self::IDENTIFIER, Some(self.id.0), work).await;
        sent.map_err(|error| error.to_string())
    }
}

impl TaskHandler for ApplyRouting {
    const IDENTIFIER: &'static str = "ApplyRouting";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let builder = builder(&context)?;
        let work = super::traffic::apply_routing::apply_routing(builder.manager(), self.id);
        let applied = spanned(&context, Self::IDENTIFIER, None, work).await;
        applied.map_err(|error| error.to_string())
    }
}
