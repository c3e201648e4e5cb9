//! The table `workers`: which processes build, as everybody sees it.

use std::time::Duration;

use diesel::sql_types::{Bool, Double, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;

/// How long a process holds what it works on without a heartbeat. Then another process may take it over.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often a process renews its leases.
pub const HEARTBEAT: Duration = Duration::from_secs(5);
/// How often a worker shows that it lives.
pub const SIGN_OF_LIFE: Duration = HEARTBEAT;

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// As leases name it.
    pub id: String,
    /// How many builds it does at once.
    pub slots: usize,
    /// Whether it begins no other build.
    pub is_draining: bool,
    /// Why it begins none, in words.
    pub trouble: Option<String>,
}

#[derive(diesel::QueryableByName)]
struct Changed {
    #[diesel(sql_type = Bool)]
    is_news: bool,
}

/// Shows that a worker lives; forgets those that have not for a while. True: something about it is new to others.
///
/// # Errors
/// When a statement fails.
pub async fn report(conn: &mut AsyncPgConnection, report: &Report) -> Result<bool, DbError> {
    let Report { id, slots, is_draining, trouble } = report;
    let changed: Changed = diesel::sql_query(
        "WITH before AS (SELECT * FROM workers WHERE id = $1), \
         gone AS (DELETE FROM workers WHERE id <> $1 AND seen < now() - make_interval(secs => $7) RETURNING 1), \
         written AS (INSERT INTO workers AS w (id, hostname, version, slots, is_draining, trouble) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET slots = excluded.slots, seen = now(), \
             is_draining = excluded.is_draining, trouble = excluded.trouble RETURNING 1) \
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
    .get_result(conn)
    .await?;
    Ok(changed.is_news)
}

/// Writes a little, to see whether the database takes anything in. Nothing is said of the worker by that.
///
/// # Errors
/// [`DbError::ReadOnly`] when it does not.
pub async fn try_write(conn: &mut AsyncPgConnection, id: &str) -> Result<(), DbError> {
    diesel::sql_query("UPDATE workers SET seen = seen WHERE id = $1").bind::<Text, _>(id).execute(conn).await?;
    Ok(())
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

/// How many workers live and take jobs, in all processes.
///
/// # Errors
/// When the statement fails.
pub async fn taking_jobs(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    let query = "SELECT count(*) AS n FROM workers WHERE seen > now() - make_interval(secs => $1) AND NOT is_draining";
    let Count { n } = diesel::sql_query(query).bind::<Double, _>(LEASE.as_secs_f64()).get_result(conn).await?;
    Ok(n)
}

/// Forgets workers that have not been seen for an hour.
///
/// # Errors
/// When the statement fails.
pub async fn remove_dead(conn: &mut AsyncPgConnection) -> Result<usize, DbError> {
    Ok(diesel::sql_query("DELETE FROM workers WHERE seen < now() - interval '1 hour'").execute(conn).await?)
}

/// A worker has ended in good order.
///
/// # Errors
/// When the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection, id: &str) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM workers WHERE id = $1").bind::<Text, _>(id).execute(conn).await?;
    Ok(())
}

/// For people; leases do not depend on it.
fn hostname() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}
