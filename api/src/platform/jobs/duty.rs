//! Work that one process of all does. Its lease is in the table `duties`; another process takes over when it expires, or at
//! once where the holder is known to be dead.

use std::time::Instant;

use diesel::sql_types::{Double, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::holder;
use super::workers::{HEARTBEAT, LEASE};
use crate::platform::db::schema::duties;
use crate::platform::db::{Db, DbError};

/// Does the work while this process holds its lease; waits for the lease meanwhile. Never returns. The work is dropped when
/// the lease is lost, or could not be renewed in time.
pub async fn alone<F: Future<Output = ()>>(db: &Db, name: &'static str, work: impl Fn() -> F) {
    let me = holder::this_process();
    loop {
        match take(db, name, &me).await {
            Ok(true) => {
                tokio::select! {
                    () = work() => {}
                    () = until_lost(db, name, &me) => tracing::warn!(duty = name, "another process may do this now"),
                }
            }
            Ok(false) => {}
            Err(error) => tracing::debug!(duty = name, %error, "the lease cannot be read"),
        }
        tokio::time::sleep(HEARTBEAT).await;
    }
}

/// Gives the leases of this process back, so that another process need not wait.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn give_back(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::delete(duties::table.filter(duties::holder.eq(holder::this_process()))).execute(conn).await?;
    Ok(())
}

async fn take(db: &Db, name: &str, me: &str) -> Result<bool, DbError> {
    let mut conn = db.vital().await?;
    if claim(&mut conn, name, me, "").await? {
        return Ok(true);
    }
    let other: Option<String> = duties::table.find(name).select(duties::holder).first(&mut conn).await.optional()?;
    match other.filter(|other| holder::is_dead(other)) {
        Some(dead) => claim(&mut conn, name, me, &dead).await,
        None => Ok(false),
    }
}

/// Takes or renews a lease that no other process holds, or that a dead one does.
async fn claim(conn: &mut AsyncPgConnection, name: &str, me: &str, dead: &str) -> Result<bool, DbError> {
    let claimed = diesel::sql_query(
        "INSERT INTO duties (name, holder, until) VALUES ($1, $2, now() + make_interval(secs => $4)) \
         ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
         WHERE duties.holder IN ($2, $3) OR duties.until < now()",
    )
    .bind::<Text, _>(name)
    .bind::<Text, _>(me)
    .bind::<Text, _>(dead)
    .bind::<Double, _>(LEASE.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(claimed > 0)
}

/// Renews the lease; returns when it is lost, or may be.
async fn until_lost(db: &Db, name: &str, me: &str) {
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let asked = Instant::now();
        let renewal = async { claim(&mut *db.vital().await?, name, me, "").await };
        match tokio::time::timeout(HEARTBEAT, renewal).await {
            Ok(Ok(true)) => renewed = asked,
            Ok(Ok(false)) => return,
            Ok(Err(_)) | Err(_) if renewed.elapsed() + HEARTBEAT * 2 < LEASE => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
