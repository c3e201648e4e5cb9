//! The queue is Graphile Worker's, in the same Postgres: a job is written in the transaction that decides it, and a worker
//! is woken by NOTIFY when that commits.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use graphile_worker::TaskHandler;

use crate::db::{Db, DbError};

/// Writes a job. Of jobs with one key that nobody has begun, only the latest stays.
///
/// # Errors
/// When the statement fails.
pub async fn enqueue<J: TaskHandler>(conn: &mut AsyncPgConnection, job: &J, key: &str) -> Result<(), DbError> {
    diesel::sql_query("SELECT graphile_worker.add_job($1, payload => $2::json, job_key => $3, max_attempts => 3)")
        .bind::<diesel::sql_types::Text, _>(J::IDENTIFIER)
        .bind::<diesel::sql_types::Text, _>(serde_json::to_string(job)?)
        .bind::<diesel::sql_types::Text, _>(key)
        .execute(conn)
        .await?;
    Ok(())
}

/// Brings the queue's own tables to the version this program knows.
///
/// # Errors
/// When the server does not answer or refuses.
pub async fn migrate(db: &Db) -> Result<(), DbError> {
    graphile_worker::WorkerOptions::default()
        .database_url(db.url())
        .max_pg_conn(2)
        .listen_os_shutdown_signals(false)
        .init()
        .await
        .map(drop)
        .map_err(|error| DbError::Unavailable(error.to_string()))
}
