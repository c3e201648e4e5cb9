//! The table `login_failures`: wrong passwords.

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::audit::Origin;
use crate::platform::db::DbError;
use crate::platform::db::schema::login_failures;

/// The number of failures, and the time of the last one.
pub type Failures = (i64, Option<DateTime<Utc>>);

/// Serialises attempts until the transaction ends, so that concurrent ones are counted too.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let lock = diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('login_failures', 0))");
    lock.execute(conn).await?;
    Ok(())
}

/// Stores a wrong password for a name, with the client's address. Deletes those older than `memory`.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn remember_failure(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<(), DbError> {
    let address = Origin::current().address.map(|address| address.to_string());
    diesel::insert_into(login_failures::table)
        .values((login_failures::username.eq(name), login_failures::address.eq(address)))
        .execute(conn)
        .await?;
    forget_old_failures(conn, memory).await
}

/// How many wrong passwords there were for a name within `memory`, and the time of the last one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn failures(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<Failures, DbError> {
    Ok(login_failures::table
        .filter(login_failures::username.eq(name))
        .filter(login_failures::at.gt(Utc::now() - memory))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
        .first(conn)
        .await?)
}

/// How many wrong passwords came from an address within `memory`, and the time of the last one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn failures_from(conn: &mut AsyncPgConnection, address: &str, memory: Duration) -> Result<Failures, DbError> {
    Ok(login_failures::table
        .filter(login_failures::address.eq(address))
        .filter(login_failures::at.gt(Utc::now() - memory))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
        .first(conn)
        .await?)
}

/// Deletes the wrong passwords for a name.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_failures(conn: &mut AsyncPgConnection, name: &str) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::username.eq(name))).execute(conn).await?;
    Ok(())
}

/// Deletes wrong passwords that are older than `memory`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_old_failures(conn: &mut AsyncPgConnection, memory: Duration) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::at.lt(Utc::now() - memory))).execute(conn).await?;
    Ok(())
}
