//! The table `workers`: the worker processes of all hosts.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;

/// How long a lease lasts without a heartbeat. After that, another process may take over.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often a process renews its leases.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often a worker updates its row.
pub const SIGN_OF_LIFE: Duration = HEARTBEAT;

/// The state that a worker reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The holder name that the worker uses in leases.
    pub id: String,
    /// How many builds the worker runs at once.
    pub slots: usize,
    /// Whether the worker starts no further builds.
    pub is_draining: bool,
    /// Why the worker starts no builds, in words; none if it does.
    pub trouble: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Changed {
    #[diesel(sql_type = Bool)]
    is_news: bool,
}

/// Updates a worker's row; deletes rows not updated for four leases. True: clients must be notified of a change.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn report(conn: &mut AsyncPgConnection, report: &Report) -> Result<bool, DbError> {
    let Report { id, slots, is_draining, trouble } = report;
    let changed: Changed = diesel::sql_query(
        "WITH before AS (SELECT * FROM workers WHERE id = $1), \
         gone AS (DELETE FROM workers WHERE id <> $1 AND seen < now() - make_interval(secs => $7) RETURNING 1), \
         written AS (INSERT INTO workers AS w (id, hostname, version, slots, is_draining, trouble, clock_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, (1000 * extract(epoch FROM $8 - clock_timestamp()))::int8) \
             ON CONFLICT (id) DO UPDATE SET slots = excluded.slots, seen = now(), is_draining = excluded.is_draining, \
             trouble = excluded.trouble, clock_ms = excluded.clock_ms RETURNING 1) \
         SELECT EXISTS (SELECT 1 FROM gone) OR NOT EXISTS (SELECT 1 FROM before \
             WHERE slots = $4 AND is_draining = $5 AND trouble IS NOT DISTINCT FROM $6) AS is_news FROM written",
    )
    .bind::<Text, _>(id)
    .bind::<Text, _>(hostname())
    .bind::<Text, _>(env!("CARGO_PKG_VERSION"))
    .bind::<Integer, _>(i32::try_from(*slots).unwrap_or(i32::MAX))
    .bind::<Bool, _>(is_draining)
    .bind::<Nullable<Text>, _>(trouble.as_deref())
    .bind::<Double, _>(LEASE.as_secs_f64() * 4.0)
    .bind::<Timestamptz, _>(Utc::now())
    .get_result(conn)
    .await?;
    Ok(changed.is_news)
}

/// Writes without changing anything, to check whether the database accepts writes. Does not count as a sign of life.
///
/// # Errors
/// [`DbError::ReadOnly`] if the database refuses writes.
pub async fn try_write(conn: &mut AsyncPgConnection, id: &str) -> Result<(), DbError> {
    diesel::sql_query("UPDATE workers SET seen = seen WHERE id = $1").bind::<Text, _>(id).execute(conn).await?;
    Ok(())
}

/// A number of rows.
#[derive(Debug, diesel::QueryableByName)]
pub(in crate::platform) struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    pub(in crate::platform) n: i64,
}

/// A worker that was seen within the lease time.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct WorkerRow {
    #[diesel(sql_type = Text)]
    pub hostname: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Timestamptz)]
    pub started: DateTime<Utc>,
    #[diesel(sql_type = Integer)]
    pub slots: i32,
    #[diesel(sql_type = Bool)]
    pub is_draining: bool,
    /// Why it starts no builds.
    #[diesel(sql_type = Nullable<Text>)]
    pub trouble: Option<String>,
    /// How far its clock is ahead of the database's, in milliseconds; none: a version that does not say.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub clock_ms: Option<i64>,
}

/// The workers that were seen within the lease time, by host and start.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn live(conn: &mut AsyncPgConnection) -> Result<Vec<WorkerRow>, DbError> {
    let rows = diesel::sql_query(
        "SELECT hostname, version, started, slots, is_draining, trouble, clock_ms FROM workers \
         WHERE seen > now() - make_interval(secs => $1) ORDER BY hostname, started, id",
    )
    .bind::<Double, _>(LEASE.as_secs_f64())
    .load(conn)
    .await?;
    Ok(rows)
}

/// How many workers, in all processes, are alive and take jobs.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn taking_jobs(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    let query = "SELECT count(*) AS n FROM workers WHERE seen > now() - make_interval(secs => $1) AND NOT is_draining";
    let Count { n } = diesel::sql_query(query).bind::<Double, _>(LEASE.as_secs_f64()).get_result(conn).await?;
    Ok(n)
}

/// Whether a worker of another process is alive and begins builds.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn do_others_begin_builds(conn: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let Count { n } = diesel::sql_query(
        "SELECT count(*) AS n FROM workers WHERE id <> $1 AND seen > now() - make_interval(secs => $2) \
         AND NOT is_draining AND trouble IS NULL",
    )
    .bind::<Text, _>(super::holder::this_process())
    .bind::<Double, _>(LEASE.as_secs_f64())
    .get_result(conn)
    .await?;
    Ok(n > 0)
}

/// Deletes workers that have not been seen for an hour.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn remove_dead(conn: &mut AsyncPgConnection) -> Result<usize, DbError> {
    Ok(diesel::sql_query("DELETE FROM workers WHERE seen < now() - interval '1 hour'").execute(conn).await?)
}

/// Deletes the row of a worker that ended regularly.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection, id: &str) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM workers WHERE id = $1").bind::<Text, _>(id).execute(conn).await?;
    Ok(())
}

/// The host name for display; leases do not depend on it.
pub fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}
