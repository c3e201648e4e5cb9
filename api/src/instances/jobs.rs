//! The jobs of this module. They carry ids only and read the world anew. What they do is in `worker.rs`' hands.

use diesel_async::AsyncPgConnection;
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use serde::{Deserialize, Serialize};
use shared_types::{AppServerId, InstanceId};

use crate::db::DbError;
use crate::jobs::queue;

/// Goes on with a build.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AdvanceAppServer {
    /// Whose.
    pub id: AppServerId,
}

/// Tells the gateway what was decided.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApplyRouting {
    /// Whose traffic.
    pub id: InstanceId,
}

impl AdvanceAppServer {
    /// Writes the job.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
        queue::enqueue(conn, &Self { id }, &format!("advance_app_server:{id}")).await
    }
}

impl ApplyRouting {
    /// Writes the job.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), DbError> {
        queue::enqueue(conn, &Self { id }, &format!("apply_routing:{id}")).await
    }
}

impl TaskHandler for AdvanceAppServer {
    const IDENTIFIER: &'static str = "AdvanceAppServer";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let worker = context.get_ext::<crate::instances::build::Builder>().ok_or("the worker has no builder")?;
        worker.advance(self.id).await.map_err(|error| error.to_string())
    }
}

impl TaskHandler for ApplyRouting {
    const IDENTIFIER: &'static str = "ApplyRouting";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let worker = context.get_ext::<crate::instances::build::Builder>().ok_or("the worker has no builder")?;
        super::apply_routing::apply_routing(worker.manager(), self.id).await.map_err(|error| error.to_string())
    }
}
