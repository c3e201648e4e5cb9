//! The job queue is Graphile Worker's, in the same Postgres: a job is written in the transaction that decides it, and
//! its commit wakes a worker by NOTIFY.

use chrono::{DateTime, Utc};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use crate::platform::db::DbError;
use crate::platform::origin::Origin;

/// The field of a job's payload that holds the id of the request that caused the job.
pub(super) const REQUEST_ID: &str = "request_id";

/// A kind of job, for code that enqueues it. Its handler implements `graphile_worker::TaskHandler` for the same type.
pub trait Job: Serialize {
    /// The task identifier in the queue's table. It never changes, since a later version may handle the job.
    const KIND: &'static str;
}

/// Enqueues a job. It replaces a job with the same key that has not started.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn enqueue<J: Job>(conn: &mut AsyncPgConnection, job: &J, key: &str) -> Result<(), DbError> {
    diesel::sql_query("SELECT graphile_worker.add_job($1, payload => $2::json, job_key => $3, max_attempts => 3)")
        .bind::<diesel::sql_types::Text, _>(J::KIND)
        .bind::<diesel::sql_types::Text, _>(payload(job, Origin::current().request_id)?)
        .bind::<diesel::sql_types::Text, _>(key)
        .execute(conn)
        .await?;
    Ok(())
}

/// Enqueues a job that starts at this time at the earliest.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn enqueue_at<J: Job>(
    conn: &mut AsyncPgConnection,
    job: &J,
    key: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::sql_query(
        "SELECT graphile_worker.add_job($1, payload => $2::json, job_key => $3, run_at => $4, max_attempts => 3)",
    )
    .bind::<diesel::sql_types::Text, _>(J::KIND)
    .bind::<diesel::sql_types::Text, _>(payload(job, Origin::current().request_id)?)
    .bind::<diesel::sql_types::Text, _>(key)
    .bind::<diesel::sql_types::Timestamptz, _>(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Enqueues several jobs, each with its key, in one statement, because commits that notify workers wait for each other.
/// A job that replaces another one keeps the request id of the replaced one, if that has any.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn enqueue_all<J: Job>(conn: &mut AsyncPgConnection, jobs: &[(J, String)]) -> Result<(), DbError> {
    use diesel::sql_types::{Array, Text};
    if jobs.is_empty() {
        return Ok(());
    }
    let payloads =
        jobs.iter().map(|(job, _)| payload(job, Origin::current().request_id)).collect::<Result<Vec<_>, _>>()?;
    let keys: Vec<&str> = jobs.iter().map(|(_, key)| key.as_str()).collect();
    diesel::sql_query(
        "SELECT count(graphile_worker.add_job($1, payload => (job.payload::jsonb || coalesce( \
             (SELECT jsonb_build_object('request_id', j.payload -> 'request_id') FROM graphile_worker._private_jobs AS j \
              WHERE j.key = job.key AND j.payload -> 'request_id' IS NOT NULL), '{}'))::json, \
             job_key => job.key, max_attempts => 3)) \
         FROM unnest($2, $3) WITH ORDINALITY AS job (payload, key, n)",
    )
    .bind::<Text, _>(J::KIND)
    .bind::<Array<Text>, _>(payloads)
    .bind::<Array<Text>, _>(keys)
    .execute(conn)
    .await?;
    Ok(())
}

/// The job's payload, with the id of the request that caused it, if any. The job's own fields do not include the id.
fn payload<J: Job>(job: &J, request_id: Option<String>) -> Result<String, serde_json::Error> {
    let mut payload = serde_json::to_value(job)?;
    if let (Some(fields), Some(id)) = (payload.as_object_mut(), request_id) {
        fields.insert(REQUEST_ID.to_owned(), id.into());
    }
    Ok(payload.to_string())
}
