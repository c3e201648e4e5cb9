//! The jobs of this module. They carry ids only and ask anew; each may run twice.

use std::sync::Arc;

use diesel_async::AsyncPgConnection;
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext};
use serde::{Deserialize, Serialize};
use shared_types::PullRequestId;

use super::{Watch, WatchError, report, sync};
use crate::platform::db::DbError;
use crate::platform::jobs::queue;
use crate::platform::jobs::span::spanned;

/// Asks GitHub for a pull request and does what follows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncPullRequest {
    /// The watched repository.
    pub repository: i64,
    /// The number there.
    pub number: i32,
}

impl SyncPullRequest {
    /// Writes the job.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection, repository: i64, number: i32) -> Result<(), DbError> {
        Self::enqueue_all(conn, repository, &[number]).await
    }

    /// Writes a job for each of these.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, repository: i64, numbers: &[i32]) -> Result<(), DbError> {
        let jobs: Vec<_> =
            numbers.iter().map(|&number| (Self { repository, number }, Self::key(repository, number))).collect();
        queue::enqueue_all(conn, &jobs).await
    }

    fn key(repository: i64, number: i32) -> String {
        format!("sync_pull_request:{repository}:{number}")
    }

    async fn work(&self, watch: &Watch) -> Result<(), WatchError> {
        match sync::sync(watch, self.repository, self.number).await {
            Err(WatchError::Paused { until, .. }) => {
                let mut conn = watch.manager.db.conn().await?;
                Ok(queue::enqueue_at(&mut conn, self, &Self::key(self.repository, self.number), until).await?)
            }
            done => done.map(drop),
        }
    }
}

impl TaskHandler for SyncPullRequest {
    const IDENTIFIER: &'static str = "SyncPullRequest";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let watch = context.get_ext::<Arc<Watch>>().cloned().ok_or_else(|| "the worker watches nothing".to_owned())?;
        let done = spanned(&context, Self::IDENTIFIER, None, self.work(&watch)).await;
        done.map_err(|error| error.to_string())
    }
}

/// Tells GitHub how a pull request's instance is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportPullRequest {
    /// Which pull request.
    pub id: PullRequestId,
}

impl ReportPullRequest {
    /// Writes a job for each of these.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, ids: &[PullRequestId]) -> Result<(), DbError> {
        let jobs: Vec<_> = ids.iter().map(|&id| (Self { id }, format!("report_pull_request:{id}"))).collect();
        queue::enqueue_all(conn, &jobs).await
    }

    async fn work(&self, watch: &Watch) -> Result<(), WatchError> {
        match report::report(watch, self.id).await {
            // The next look after the pause finds it again.
            Err(WatchError::Paused { .. }) => Ok(()),
            done => done,
        }
    }
}

impl TaskHandler for ReportPullRequest {
    const IDENTIFIER: &'static str = "ReportPullRequest";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let watch = context.get_ext::<Arc<Watch>>().cloned().ok_or_else(|| "the worker watches nothing".to_owned())?;
        let done = spanned(&context, Self::IDENTIFIER, None, self.work(&watch)).await;
        done.map_err(|error| error.to_string())
    }
}
