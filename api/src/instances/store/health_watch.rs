//! The table `health_watch`: one row about the watch over all sites; and the queries of the watch.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, InstanceId, ServerStatus};

use crate::platform::db::DbError;
use crate::platform::db::schema::app_servers;
use crate::platform::vault::Sealed;

/// The state of the watch.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct WatchState {
    /// Since when every health is unknown; None: checks are made.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub stale_since: Option<DateTime<Utc>>,
    /// When checks were last made, by the database's clock.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub checked_at: Option<DateTime<Utc>>,
    /// Why no site can be asked.
    #[diesel(sql_type = Nullable<Text>)]
    pub trouble: Option<String>,
}

/// The current state of the watch.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn state(conn: &mut AsyncPgConnection) -> Result<WatchState, DbError> {
    let query = "SELECT CASE WHEN fresh_until <= now() THEN fresh_until END AS stale_since, checked_at, trouble \
        FROM health_watch";
    Ok(diesel::sql_query(query).get_result(conn).await?)
}

/// The state of the watch before [`beat`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, diesel::QueryableByName)]
pub struct Before {
    /// Whether every health was unknown.
    #[diesel(sql_type = Bool)]
    pub was_stale: bool,
    /// Whether browsers and ADMINS had been notified.
    #[diesel(sql_type = Bool)]
    pub was_told: bool,
}

/// Records that checks are made; health is fresh for this long. Returns the state before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn beat(conn: &mut AsyncPgConnection, fresh: Duration) -> Result<Before, DbError> {
    Ok(diesel::sql_query(
        "WITH before AS (SELECT fresh_until <= now() AS was_stale, is_told_stale AS was_told FROM health_watch FOR UPDATE) \
         UPDATE health_watch SET fresh_until = greatest(fresh_until, now() + make_interval(secs => $1)), \
            checked_at = now(), trouble = NULL, is_told_stale = false FROM before \
         RETURNING before.was_stale, before.was_told",
    )
    .bind::<Double, _>(fresh.as_secs_f64())
    .get_result(conn)
    .await?)
}

/// Records why no site can be asked, unless a process has made checks within the time `quiet`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn trouble(conn: &mut AsyncPgConnection, words: &str, quiet: Duration) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE health_watch SET trouble = left($1, 1000) \
         WHERE trouble IS DISTINCT FROM left($1, 1000) \
         AND (checked_at IS NULL OR checked_at < now() - make_interval(secs => $2))",
    )
    .bind::<Text, _>(words)
    .bind::<Double, _>(quiet.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks stale health as notified. True: it is stale, and was not marked before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn tell_stale(conn: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let query = "UPDATE health_watch SET is_told_stale = true WHERE NOT is_told_stale AND fresh_until <= now()";
    Ok(diesel::sql_query(query).execute(conn).await? == 1)
}

/// An active app server, with what a check needs.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Target {
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    /// Its active app server.
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    /// The status of its machine.
    #[diesel(sql_type = Text)]
    pub server_status: ServerStatus,
    /// The address of its web server.
    #[diesel(sql_type = Nullable<Text>)]
    pub http_address: Option<String>,
}

/// The active app servers of these instances, or of all.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn targets(conn: &mut AsyncPgConnection, of: Option<&[InstanceId]>) -> Result<Vec<Target>, DbError> {
    Ok(diesel::sql_query(
        "SELECT i.id AS instance_id, a.id AS app_server_id, s.status AS server_status, s.http_address \
         FROM instances AS i JOIN app_servers AS a ON a.id = i.active_app_server_id \
         JOIN servers AS s ON s.id = a.server_id WHERE $1 IS NULL OR i.id = ANY($1)",
    )
    .bind::<Nullable<Array<BigInt>>, _>(of)
    .load(conn)
    .await?)
}

/// Type, settings and settings version of app servers; they decide which sites an app server has, and never change.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn settings(
    conn: &mut AsyncPgConnection,
    ids: &[AppServerId],
) -> Result<Vec<(AppServerId, String, i32, Sealed)>, DbError> {
    use app_servers::{id, instance_type, settings, settings_version};
    Ok(app_servers::table
        .filter(id.eq_any(ids))
        .select((id, instance_type, settings_version, settings))
        .load(conn)
        .await?)
}
