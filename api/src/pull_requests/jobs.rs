//! The jobs of this module: their payloads, which are ids only, and how they are enqueued. Their handlers are in
//! `worker/handlers.rs`.

use diesel_async::AsyncPgConnection;
use serde::{Deserialize, Serialize};
use shared_types::PullRequestId;

use crate::platform::db::DbError;
use crate::platform::jobs::queue::{self, Job};

/// Fetches a pull request from GitHub and updates its instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SyncPullRequest {
    /// The id in `watched_repositories`.
    pub repository: i64,
    /// The pull request's number at GitHub.
    pub number: i32,
}

impl SyncPullRequest {
    /// Enqueues the job for one pull request.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn enqueue(conn: &mut AsyncPgConnection, repository: i64, number: i32) -> Result<(), DbError> {
        Self::enqueue_all(conn, repository, &[number]).await
    }

    /// Enqueues a job for each of these.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, repository: i64, numbers: &[i32]) -> Result<(), DbError> {
        let keyed = |job: Self| {
            let key = job.key();
            (job, key)
        };
        let jobs: Vec<_> = numbers.iter().map(|&number| keyed(Self { repository, number })).collect();
        queue::enqueue_all(conn, &jobs).await
    }

    /// The deduplication key: at most one job with the same key waits.
    pub fn key(&self) -> String {
        let Self { repository, number } = self;
        format!("sync_pull_request:{repository}:{number}")
    }
}

impl Job for SyncPullRequest {
    const KIND: &'static str = "SyncPullRequest";
}

/// Reports the state of a pull request's instance to GitHub.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportPullRequest {
    pub id: PullRequestId,
}

impl ReportPullRequest {
    /// Enqueues a job for each of these.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn enqueue_all(conn: &mut AsyncPgConnection, ids: &[PullRequestId]) -> Result<(), DbError> {
        let jobs: Vec<_> = ids.iter().map(|&id| (Self { id }, format!("report_pull_request:{id}"))).collect();
        queue::enqueue_all(conn, &jobs).await
    }
}

impl Job for ReportPullRequest {
    const KIND: &'static str = "ReportPullRequest";
}
