//! What may be forgotten.

use diesel::sql_types::{BigInt, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;

use crate::instances::housekeeping::Kept;
use crate::platform::db::DbError;

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: AppServerId,
}

/// App servers whose log need not be kept: they are over, have no machine, and the days that they are kept have passed
/// since. The oldest first, at most `limit`.
///
/// # Errors
/// When the statement fails.
pub async fn logs_over(conn: &mut AsyncPgConnection, kept: Kept, limit: i64) -> Result<Vec<AppServerId>, DbError> {
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let rows: Vec<Found> = diesel::sql_query(
        "SELECT a.id FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id \
         JOIN log_counters AS c ON c.app_server_id = a.id \
         WHERE c.pruned_at IS NULL AND a.status IN ('terminated', 'stopped', 'failed', 'error') \
         AND s.status IN ('pending', 'terminated') AND greatest(a.modified, s.modified) < now() - make_interval(days => \
             CASE WHEN a.status IN ('failed', 'error') \
                 OR EXISTS (SELECT 1 FROM activations AS v WHERE v.app_server_id = a.id) THEN $2 ELSE $1 END) \
         ORDER BY a.id LIMIT $3",
    )
    .bind::<Integer, _>(days(kept.logs_days))
    .bind::<Integer, _>(days(kept.kept_logs_days))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Found { id }| id).collect())
}

/// Forgets differences that no comparison has found for a day: those of a provider that is not used any more.
///
/// # Errors
/// When the statement fails.
pub async fn forget_orphans(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM orphans WHERE last_seen < now() - interval '1 day'").execute(conn).await?;
    Ok(())
}
