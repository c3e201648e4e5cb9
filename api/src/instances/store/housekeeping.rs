//! Which records may be deleted, and when.

use diesel::sql_types::{BigInt, Integer};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;

use crate::platform::db::DbError;
use crate::platform::db::statuses::{FAILED, FINAL, NO_MACHINE};

/// How many days records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub events_days: u32,
    /// The audit log; 0: for ever.
    pub audit_days: u32,
    pub logs_days: u32,
    /// Logs of app servers that failed, or were ever active.
    pub kept_logs_days: u32,
}

/// Longest retention that Postgres can subtract from now, in days: a century.
const MAX_DAYS: u32 = 36_500;

impl Kept {
    /// Limits each value to a century, which dates can express.
    pub fn bounded(self) -> Self {
        let Self { events_days, audit_days, logs_days, kept_logs_days } = self;
        Self {
            events_days: events_days.min(MAX_DAYS),
            audit_days: audit_days.min(MAX_DAYS),
            logs_days: logs_days.min(MAX_DAYS),
            kept_logs_days: kept_logs_days.min(MAX_DAYS),
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    id: AppServerId,
}

/// App servers whose log may be deleted: they have ended, have no machine, and their retention has passed since. The
/// oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn logs_over(conn: &mut AsyncPgConnection, kept: Kept, limit: i64) -> Result<Vec<AppServerId>, DbError> {
    let days = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let rows: Vec<Found> = diesel::sql_query(format!(
        "SELECT a.id FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id \
         JOIN log_counters AS c ON c.app_server_id = a.id \
         WHERE c.pruned_at IS NULL AND a.status IN ({FINAL}) \
         AND s.status IN ({NO_MACHINE}) AND greatest(a.modified, s.modified) < now() - make_interval(days => \
             CASE WHEN a.status IN ({FAILED}) \
                 OR EXISTS (SELECT 1 FROM activations AS v WHERE v.app_server_id = a.id) THEN $2 ELSE $1 END) \
         ORDER BY a.id LIMIT $3"
    ))
    .bind::<Integer, _>(days(kept.logs_days))
    .bind::<Integer, _>(days(kept.kept_logs_days))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Found { id }| id).collect())
}

/// Deletes differences that no comparison has found for a day: those of a provider that is no longer used.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget_orphans(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM orphans WHERE last_seen < now() - interval '1 day'").execute(conn).await?;
    Ok(())
}
