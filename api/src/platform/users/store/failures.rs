//! The table `login_failures`: wrong passwords.

use chrono::{DateTime, Duration, Utc};
use diesel::sql_types::Text;
use diesel::{ExpressionMethods, PgExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::login_failures;

/// The number of failures, and the time of the last one.
pub type Failures = (i64, Option<DateTime<Utc>>);

/// Serialises attempts of one source until the transaction ends.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, source: &str) -> Result<(), DbError> {
    let lock = diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('login_failures/' || $1, 0))");
    lock.bind::<Text, _>(source).execute(conn).await?;
    Ok(())
}

/// Stores a wrong password for a name. Deletes those older than `memory`.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn remember(
    conn: &mut AsyncPgConnection,
    name: &str,
    network: Option<&str>,
    browser: Option<&str>,
    memory: Duration,
) -> Result<(), DbError> {
    diesel::insert_into(login_failures::table)
        .values((
            login_failures::username.eq(name),
            login_failures::address.eq(network),
            login_failures::browser.eq(browser),
        ))
        .execute(conn)
        .await?;
    forget_old(conn, memory).await
}

macro_rules! counted {
    ($conn:expr, $memory:expr, $($filter:expr),+) => {
        Ok(login_failures::table
            .filter(login_failures::at.gt(Utc::now() - $memory))
            $(.filter($filter))+
            .select((diesel::dsl::count_star(), diesel::dsl::max(login_failures::at)))
            .first($conn)
            .await?)
    };
}

/// The wrong passwords for a name within `memory`, from unknown browsers.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of_name(conn: &mut AsyncPgConnection, name: &str, memory: Duration) -> Result<Failures, DbError> {
    counted!(conn, memory, login_failures::username.eq(name), login_failures::browser.is_null())
}

/// The wrong passwords for a name from a network within `memory`, from unknown browsers.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of_name_in(
    conn: &mut AsyncPgConnection,
    name: &str,
    network: Option<&str>,
    memory: Duration,
) -> Result<Failures, DbError> {
    let here = login_failures::address.is_not_distinct_from(network);
    counted!(conn, memory, login_failures::username.eq(name), login_failures::browser.is_null(), here)
}

/// The wrong passwords from a network within `memory`, from unknown browsers.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of_network(conn: &mut AsyncPgConnection, network: &str, memory: Duration) -> Result<Failures, DbError> {
    counted!(conn, memory, login_failures::address.eq(network), login_failures::browser.is_null())
}

/// The wrong passwords of a known browser or a session within `memory`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of_browser(conn: &mut AsyncPgConnection, browser: &str, memory: Duration) -> Result<Failures, DbError> {
    counted!(conn, memory, login_failures::browser.eq(browser))
}

/// Deletes the wrong passwords for a name from a network, of unknown browsers.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_of_name_in(conn: &mut AsyncPgConnection, name: &str, network: Option<&str>) -> Result<(), DbError> {
    let them = login_failures::table
        .filter(login_failures::username.eq(name))
        .filter(login_failures::address.is_not_distinct_from(network))
        .filter(login_failures::browser.is_null());
    diesel::delete(them).execute(conn).await?;
    Ok(())
}

/// Deletes the wrong passwords of a known browser or a session.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_of_browser(conn: &mut AsyncPgConnection, browser: &str) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::browser.eq(browser))).execute(conn).await?;
    Ok(())
}

/// Deletes wrong passwords that are older than `memory`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_old(conn: &mut AsyncPgConnection, memory: Duration) -> Result<(), DbError> {
    diesel::delete(login_failures::table.filter(login_failures::at.lt(Utc::now() - memory))).execute(conn).await?;
    Ok(())
}
