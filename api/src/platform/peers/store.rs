//! The table `server_processes`: the processes `ocim server` of all hosts; and messages between them, which are kept nowhere.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::events::bus;
use crate::platform::jobs::holder;
use crate::platform::jobs::workers::{Count, LEASE, hostname};

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// Its setting `OCIM_PUBLIC_URL`.
    pub public_url: Option<String>,
    /// Whether it runs the gateway itself.
    pub has_gateway: bool,
    /// The ids of its keys for secrets, the one that encrypts first.
    pub key_ids: Vec<String>,
    /// Its data directory.
    pub data_dir: String,
}

/// A server that was seen within the lease time.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct ServerRow {
    /// The process, as leases name it.
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub hostname: String,
    #[diesel(sql_type = Text)]
    pub version: String,
    #[diesel(sql_type = Timestamptz)]
    pub started: DateTime<Utc>,
    /// How far its clock is ahead of the database's, in milliseconds.
    #[diesel(sql_type = BigInt)]
    pub clock_ms: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub public_url: Option<String>,
    #[diesel(sql_type = Bool)]
    pub has_gateway: bool,
    #[diesel(sql_type = Array<Text>)]
    pub key_ids: Vec<String>,
    #[diesel(sql_type = Text)]
    pub data_dir: String,
}

/// Updates the row of this process, and deletes rows not updated for four leases. Returns how many other servers live.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn report(conn: &mut AsyncPgConnection, report: &ServerReport) -> Result<i64, DbError> {
    let ServerReport { public_url, has_gateway, key_ids, data_dir } = report;
    let Count { n } = diesel::sql_query(
        "WITH gone AS (DELETE FROM server_processes WHERE id <> $1 AND seen < now() - make_interval(secs => 4 * $8)), \
         written AS (INSERT INTO server_processes (id, hostname, version, clock_ms, public_url, has_gateway, key_ids, data_dir) \
             VALUES ($1, $2, $3, (1000 * extract(epoch FROM $4 - clock_timestamp()))::int8, $5, $6, $7, $9) \
             ON CONFLICT (id) DO UPDATE SET seen = now(), clock_ms = excluded.clock_ms, key_ids = excluded.key_ids) \
         SELECT count(*) AS n FROM server_processes WHERE id <> $1 AND seen > now() - make_interval(secs => $8)",
    )
    .bind::<Text, _>(holder::this_process())
    .bind::<Text, _>(hostname())
    .bind::<Text, _>(env!("CARGO_PKG_VERSION"))
    .bind::<Timestamptz, _>(Utc::now())
    .bind::<Nullable<Text>, _>(public_url.as_deref())
    .bind::<Bool, _>(has_gateway)
    .bind::<Array<Text>, _>(key_ids)
    .bind::<Double, _>(LEASE.as_secs_f64())
    .bind::<Text, _>(data_dir)
    .get_result(conn)
    .await?;
    Ok(n)
}

/// The servers that were seen within the lease time, by host and start; without those known to be dead.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn live(conn: &mut AsyncPgConnection) -> Result<Vec<ServerRow>, DbError> {
    let mut rows: Vec<ServerRow> = diesel::sql_query(
        "SELECT id, hostname, version, started, clock_ms, public_url, has_gateway, key_ids, data_dir FROM server_processes \
         WHERE seen > now() - make_interval(secs => $1) ORDER BY hostname, started, id",
    )
    .bind::<Double, _>(LEASE.as_secs_f64())
    .load(conn)
    .await?;
    rows.retain(|row| !holder::is_dead(&row.id));
    Ok(rows)
}

/// Deletes the row of this process, which ends.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let id = holder::this_process();
    diesel::sql_query("DELETE FROM server_processes WHERE id = $1").bind::<Text, _>(id).execute(conn).await?;
    Ok(())
}

/// Tells all servers, this one included, which requests were accepted.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(super) async fn tell(conn: &mut AsyncPgConnection, words: &str) -> Result<(), DbError> {
    let notify = diesel::sql_query("SELECT pg_notify($1, $2)").bind::<Text, _>(bus::RATES).bind::<Text, _>(words);
    notify.execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Clock {
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

/// How far this host's clock is ahead of the database's, in milliseconds; negative: behind.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn clock_ahead(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    let asked = Utc::now();
    let Clock { now } = diesel::sql_query("SELECT clock_timestamp() AS now").get_result(conn).await?;
    // The database's answer is of some moment in between.
    Ok((asked + (Utc::now() - asked) / 2 - now).num_milliseconds())
}
