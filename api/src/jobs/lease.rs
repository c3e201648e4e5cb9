//! The lease of a build: one process is at it, by the database's clock, and what an earlier holder writes is refused.

use std::convert::Infallible;
use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Double, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;
use tokio_util::sync::CancellationToken;

use crate::db::{Db, DbError};

/// How long a lease lasts without a heartbeat.
pub const LEASE: Duration = Duration::from_secs(15);
/// How often it is renewed.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

/// The right to go on with a build.
#[derive(Debug, Clone)]
pub struct Lease {
    /// Whose build.
    pub app_server: AppServerId,
    /// Higher than every earlier holder's.
    pub token: i64,
    /// Cancelled when the lease is lost, or when this process is to end.
    pub lost: CancellationToken,
    /// Cancelled then, and when somebody asks for the build's stop: what is under way is to be left.
    pub halt: CancellationToken,
}

impl Lease {
    fn new(app_server: AppServerId, token: i64, lost: CancellationToken) -> Self {
        let halt = lost.child_token();
        Self { app_server, token, lost, halt }
    }
}

/// Somebody else is at the build by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another worker has taken over the build")]
pub struct Lost;

#[derive(diesel::QueryableByName)]
struct Token {
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
}

/// Takes the lease of a build that nobody holds. None: somebody is at it.
///
/// # Errors
/// When the statement fails.
pub async fn acquire(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    lost: CancellationToken,
) -> Result<Option<Lease>, DbError> {
    use diesel::OptionalExtension;
    let token: Option<Token> = diesel::sql_query(
        "UPDATE builds SET lease_holder = $1, lease_token = lease_token + 1, lease_until = now() + make_interval(secs => $2) \
         WHERE app_server_id = $3 AND (lease_until IS NULL OR lease_until < now()) RETURNING lease_token",
    )
    .bind::<Text, _>(super::holder::this_process())
    .bind::<Double, _>(LEASE.as_secs_f64())
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(token.map(|Token { lease_token }| Lease::new(id, lease_token, lost)))
}

/// Refuses what an earlier holder wants to write; locks the build's row until the transaction ends.
///
/// # Errors
/// [`Lost`] inside, or when the statement fails.
pub async fn fence(conn: &mut AsyncPgConnection, lease: &Lease) -> Result<Result<(), Lost>, DbError> {
    locked(conn, lease, FENCE).await
}

/// The same, and refuses also what would take a build further whose stop somebody has asked for: of stop and progress, the
/// first to commit wins.
///
/// # Errors
/// [`Lost`] inside, or when the statement fails.
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

/// Gives the lease back.
///
/// # Errors
/// When the statement fails.
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

/// Renews the lease until `work` ends; when it cannot be renewed in time, says so to the work by the lease's token.
///
/// Work and heartbeat are polled side by side, never one inside the other: a renewal waits for the row that a transaction
/// of the work has locked, and the work must be able to commit meanwhile.
pub async fn keep<T>(db: &Db, lease: &Lease, work: impl Future<Output = T>) -> T {
    tokio::select! {
        done = work => done,
        never = beat(db, lease) => match never {},
    }
}

async fn beat(db: &Db, lease: &Lease) -> Infallible {
    let mut renewed = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval(HEARTBEAT);
    loop {
        ticks.tick().await;
        match renew(db, lease).await {
            Ok(Some(is_to_stop)) => {
                renewed = tokio::time::Instant::now();
                if is_to_stop {
                    lease.halt.cancel();
                }
            }
            Ok(None) => lease.lost.cancel(),
            Err(error) => {
                tracing::warn!(app_server = %lease.app_server, %error, "the lease could not be renewed");
                // One heartbeat of margin: the others may take over when the lease has run out.
                if renewed.elapsed() + HEARTBEAT > LEASE {
                    lease.lost.cancel();
                }
            }
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Renewed {
    #[diesel(sql_type = Bool)]
    is_to_stop: bool,
}

/// Renews; says whether the build is to be stopped. None: another has the lease.
async fn renew(db: &Db, lease: &Lease) -> Result<Option<bool>, DbError> {
    use diesel::OptionalExtension;
    let mut conn = db.conn().await?;
    let renewed: Option<Renewed> = diesel::sql_query(
        "UPDATE builds SET lease_until = now() + make_interval(secs => $1) WHERE app_server_id = $2 AND lease_token = $3 \
         AND lease_until IS NOT NULL RETURNING stop_requested_at IS NOT NULL AS is_to_stop",
    )
    .bind::<Double, _>(LEASE.as_secs_f64())
    .bind::<BigInt, _>(lease.app_server)
    .bind::<BigInt, _>(lease.token)
    .get_result(&mut conn)
    .await
    .optional()?;
    Ok(renewed.map(|renewed| renewed.is_to_stop))
}

#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    #[diesel(sql_type = BigInt)]
    lease_token: i64,
    #[diesel(sql_type = Text)]
    lease_holder: String,
}

/// Frees the leases of processes of this host that are dead.
///
/// # Errors
/// When a statement fails.
pub async fn free_dead(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let held: Vec<Held> =
        diesel::sql_query("SELECT app_server_id, lease_token, lease_holder FROM builds WHERE lease_holder IS NOT NULL")
            .load(conn)
            .await?;
    for Held { app_server_id, lease_token, lease_holder } in held {
        if super::holder::is_dead(&lease_holder) {
            tracing::info!(app_server = %app_server_id, holder = lease_holder, "the build's worker is dead; its lease is free");
            let lease = Lease::new(app_server_id, lease_token, CancellationToken::new());
            release(conn, &lease).await?;
        }
    }
    Ok(())
}
