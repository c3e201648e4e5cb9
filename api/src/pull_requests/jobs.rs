//! The jobs of this module: what they carry, which is ids only, and how they are written. What they do is in
//! `worker/handlers.rs`.

use diesel_async::AsyncPgConnection;
use serde::{Deserialize, Serialize};
use shared_types::PullRequestId;

use crate::platform::db::DbError;
use crate::platform::jobs::queue::{self, Job};

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
        let keyed = |job: Self| {
            let key = job.key();
            (job, key)
        };
        let jobs: Vec<_> = numbers.iter().map(|&number| keyed(Self { repository, number })).collect();
        queue::enqueue_all(conn, &jobs).await
    }

    /// Of waiting jobs with one key there is one.
    pub fn key(&self) -> String {
        let Self { repository, number } = self;
        format!("sync_pull_request:{repository}:{number}")
    }
}

impl Job for SyncPullRequest {
    const KIND: &'static str = "SyncPullRequest";
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
}

impl Job for ReportPullRequest {
    const KIND: &'static str = "ReportPullRequest";
}
