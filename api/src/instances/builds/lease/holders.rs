//! Clears leases, workers and job locks after a backup was restored, when none of their holders exists any more.

use diesel_async::RunQueryDsl;

use crate::platform::db::{Db, DbError};

/// Voids every lease, deletes every worker and server and unlocks every job that a worker had locked.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn forget_holders(db: &Db) -> Result<(), DbError> {
    let mut conn = db.conn().await?;
    let statements = [
        "UPDATE builds SET lease_holder = NULL, lease_until = NULL WHERE lease_holder IS NOT NULL",
        "DELETE FROM workers",
        "DELETE FROM server_processes",
        "DELETE FROM duties",
        "SELECT graphile_worker.recover_dead_worker_jobs(ARRAY(\
         SELECT locked_by FROM graphile_worker._private_jobs WHERE locked_by IS NOT NULL UNION \
         SELECT locked_by FROM graphile_worker._private_job_queues WHERE locked_by IS NOT NULL))",
    ];
    for statement in statements {
        diesel::sql_query(statement).execute(&mut conn).await?;
    }
    Ok(())
}
