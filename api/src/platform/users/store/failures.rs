//! Wrong passwords: the table `login_failures`.

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::audit::Origin;
use crate::platform::db::DbError;
use crate::platform::db::schema::login_failures;

/// How often, and when last.
pub type Failures = (i64, Option<DateTime<Utc>>);

/// One attempt is counted at a time until the transaction ends, so that many at once are counted too.
///
/// # Errors
/// When the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let lock = diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('login_failures', 0))");
    lock.execute(conn).await?;
    Ok(())
}

/// Remembers a wrong password, and where it came from.
///
/// # Errors
/// When a statement fails.
pub async fn remember_failure(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<(), DbError> {
    let address = Origin::current().address.map(|address| address.to_string());
    diesel::insert_into(login_failures::table)
        .values((login_failures::username.eq(name), login_failures::address.eq(address)))
        .execute(conn)
        .await?;
    forget_old_failures(conn, memory).await
}

/// How many wrong passwords there were for a name, and the last one's time.
///
/// # Errors
/// When the statement fails.
pub async fn failures(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<Failures, DbError> {
    Ok(login_failures::table
        .filter(login_failures::username.eq(name))
        .filter(login_failures::at.gt(Utc::now() - memory))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
        .first(conn)
        .await?)
}

/// The same for an address.
///
/// # Errors
/// When the statement fails.
pub async fn failures_from(conn: &mut AsyncPgConnection, address: &str, memory: Duration) -> Result<Failures, DbError> {
    Ok(login_failures::table
        .filter(login_failures::address.eq(address))
        .filter(login_failures::at.gt(Utc::now() - memory))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
        .first(conn)
        .await?)
}

/// Forgets wrong passwords of a name.
///
/// # Errors
/// When the statement fails.
pub async fn forget_failures(conn: &mut AsyncPgConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::username.eq(name))).execute(conn).await?;
    Ok(())
}

/// Forgets wrong passwords that are older.
///
/// # Errors
/// When the statement fails.
pub async fn forget_old_failures(conn: &mut AsyncPgConnection, memory: Duration) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::at.lt(Utc::now() - memory))).execute(conn).await?;
    Ok(())
}
