//! The lease of a build: one process holds it, by the database's clock; writes of an earlier holder are refused.

pub mod heartbeat;
pub mod holders;
mod watchdog;

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Bool, Double, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use crate::platform::db::{DbError, migrations};
use crate::platform::jobs::clock::Moment;
use crate::platform::jobs::holder;
use crate::platform::jobs::workers::LEASE;

/// The right to work on a build.
#[derive(Debug, Clone)]
pub struct Lease {
    pub app_server: AppServerId,
    /// Fencing token: higher than every earlier holder's.
    pub token: i64,
    /// When it was requested, by this host's clock; it lasts at least [`LEASE`] from then.
    pub acquired: Moment,
    /// Cancelled when the lease is lost, or when this process shuts down.
    pub lost: CancellationToken,
    /// Cancelled with `lost`, and when a stop of the build is requested: the running step must then be abandoned.
    pub halt: CancellationToken,
}

/// The lease is lost, or (from [`fence_progress`]) a stop of the build was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another worker has taken over the build")]
pub struct Lost;

#[derive(diesel::QueryableByName)]
struct Token {
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
}

/// Takes the lease of a build that no process holds. None: another process holds it, or a newer program has migrated the
/// database, whose builds this one does not understand.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn acquire(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    lost: CancellationToken,
) -> Result<Option<Lease>, DbError> {
    use diesel::OptionalExtension;
    let acquired = Moment::now();
    let token: Option<Token> = diesel::sql_query(
        "UPDATE builds SET lease_holder = $1, lease_token = lease_token + 1, lease_until = now() + make_interval(secs => $2) \
         WHERE app_server_id = $3 AND (lease_until IS NULL OR lease_until < now()) \
         AND NOT EXISTS (SELECT FROM __diesel_schema_migrations WHERE version > $4) RETURNING lease_token",
    )
    .bind::<Text, _>(holder::this_process())
    .bind::<Double, _>(LEASE.as_secs_f64())
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(migrations::newest())
    .get_result(conn)
    .await
    .optional()?;
    let lease = |Token { lease_token: token }| {
        let halt = lost.child_token();
        Lease { app_server: id, token, acquired, lost, halt }
    };
    Ok(token.map(lease))
}

/// Locks the build's row until the transaction ends, and refuses if this lease is no longer the current one.
///
/// # Errors
/// [`Lost`] in the inner result; [`DbError`] when the statement fails.
pub async fn fence(conn: &mut AsyncPgConnection, lease: &Lease) -> Result<Result<(), Lost>, DbError> {
    locked(conn, lease, FENCE).await
}

/// Like [`fence`], and refuses also if a stop of the build was requested: of stop and progress, the first to commit
/// wins.
///
/// # Errors
/// [`Lost`] in the inner result; [`DbError`] when the statement fails.
pub async fn fence_progress(conn: &mut AsyncPgConnection, lease: &Lease) -> Result<Result<(), Lost>, DbError> {
    locked(conn, lease, FENCE_PROGRESS).await
}

const FENCE: &str = "SELECT lease_token FROM builds WHERE app_server_id = $1 AND lease_token = $2 \
    AND lease_until IS NOT NULL FOR UPDATE";
const FENCE_PROGRESS: &str = "SELECT lease_token FROM builds WHERE app_server_id = $1 AND lease_token = $2 \
    AND lease_until IS NOT NULL AND stop_requested_at IS NULL FOR UPDATE";

async fn locked(conn: &mut AsyncPgConnection, lease: &Lease, query: &str) -> Result<Result<(), Lost>, DbError> {
    use diesel::OptionalExtension;
    let token: Option<Token> = diesel::sql_query(query)
        .bind::<BigInt, _>(lease.app_server)
        .bind::<BigInt, _>(lease.token)
        .get_result(conn)
        .await
        .optional()?;
    Ok(token.map(drop).ok_or(Lost))
}

/// Releases the lease; no effect if it was lost.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn release(conn: &mut AsyncPgConnection, lease: &Lease) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE builds SET lease_holder = NULL, lease_until = NULL WHERE app_server_id = $1 AND lease_token = $2",
    )
    .bind::<BigInt, _>(lease.app_server)
    .bind::<BigInt, _>(lease.token)
    .execute(conn)
    .await?;
    Ok(())
}

/// The result of renewing a lease that this process still holds.
#[derive(Debug, diesel::QueryableByName)]
pub struct Renewal {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    /// False: a transaction had locked the row; no process can take the lease before that transaction ends.
    #[diesel(sql_type = Bool)]
    pub is_renewed: bool,
    /// Whether a stop of the build was requested.
    #[diesel(sql_type = Bool)]
    pub is_to_stop: bool,
}

/// Renews leases, by app server and token, without waiting for locked rows. Leases missing from the answer are lost.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn renew(
    conn: &mut AsyncPgConnection,
    leases: &[(AppServerId, i64)],
) -> Result<HashMap<AppServerId, Renewal>, DbError> {
    let (ids, tokens): (Vec<AppServerId>, Vec<i64>) = leases.iter().copied().unzip();
    let renewals: Vec<Renewal> = diesel::sql_query(
        "WITH ours AS (SELECT b.app_server_id, b.stop_requested_at IS NOT NULL AS is_to_stop FROM builds AS b \
             JOIN unnest($2, $3) AS o (id, token) ON b.app_server_id = o.id AND b.lease_token = o.token \
             WHERE b.lease_until IS NOT NULL), \
         free AS (SELECT app_server_id, lease_token FROM builds WHERE app_server_id IN (SELECT app_server_id FROM ours) \
             FOR UPDATE SKIP LOCKED), \
         renewed AS (UPDATE builds AS b SET lease_until = now() + make_interval(secs => $1) FROM free \
             JOIN unnest($2, $3) AS o (id, token) ON free.app_server_id = o.id AND free.lease_token = o.token \
             WHERE b.app_server_id = free.app_server_id AND b.lease_until IS NOT NULL RETURNING b.app_server_id) \
         SELECT ours.*, renewed.app_server_id IS NOT NULL AS is_renewed \
         FROM ours LEFT JOIN renewed ON renewed.app_server_id = ours.app_server_id",
    )
    .bind::<Double, _>(LEASE.as_secs_f64())
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<BigInt>, _>(tokens)
    .load(conn)
    .await?;
    Ok(renewals.into_iter().map(|renewal| (renewal.app_server_id, renewal)).collect())
}

#[derive(diesel::QueryableByName)]
struct Holder {
    #[diesel(sql_type = Text)]
    lease_holder: String,
}

/// Frees the leases of processes that are known to be dead: earlier ones of this host, in this process namespace.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn free_dead(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let holders: Vec<Holder> =
        diesel::sql_query("SELECT DISTINCT lease_holder FROM builds WHERE lease_holder IS NOT NULL").load(conn).await?;
    for Holder { lease_holder: holder } in holders {
        if holder::is_dead(&holder) {
            let free = "UPDATE builds SET lease_holder = NULL, lease_until = NULL WHERE lease_holder = $1";
            let builds = diesel::sql_query(free).bind::<Text, _>(&holder).execute(conn).await?;
            tracing::info!(holder, builds, "a worker is dead; the leases of its builds are free");
        }
    }
    Ok(())
}
