//! The table `app_server_retention`: which app servers are pinned, and since when others are not needed.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::retention::Expiring;
use shared_types::{AppServerId, InstanceId, ServerId};

use crate::platform::db::DbError;
use crate::platform::db::statuses::{BUILDING, BUILT, DELETED, NO_MACHINE, RUNNING};
use crate::platform::origin::Actor;

/// App servers `a` of instances `i` whose machine (`s`) is not needed, with the hours it may stay: neither active nor
/// fallback, nor draining, nor with hooks that are due, nor pinned (`r`), nor the newest that is being built or runs
/// and could be activated next. An archived instance needs none. `$1`: the hours if the instance sets none.
static UNNEEDED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT a.id, a.instance_id, coalesce(i.retention_hours, $1) AS hours FROM app_servers AS a \
    JOIN servers AS s ON s.id = a.server_id JOIN instances AS i ON i.id = a.instance_id \
    LEFT JOIN app_server_retention AS r ON r.app_server_id = a.id \
    WHERE a.status IN ({BUILT}) \
    AND s.status NOT IN ({NO_MACHINE}) AND s.termination_requested_at IS NULL \
    AND (i.archived_at IS NOT NULL OR ( \
        a.id IS DISTINCT FROM i.active_app_server_id AND a.id IS DISTINCT FROM i.fallback_app_server_id \
        AND r.pinned_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM activations AS d WHERE d.replaced_app_server_id = a.id \
            AND d.drain_limit_seconds IS NOT NULL AND d.drained_at IS NULL) \
        AND NOT EXISTS (SELECT 1 FROM hook_runs AS h WHERE h.app_server_id = a.id AND h.settled_at IS NULL) \
        AND a.id IS DISTINCT FROM (SELECT max(c.id) FROM app_servers AS c WHERE c.instance_id = i.id \
            AND c.status IN ({BUILDING}, {RUNNING}) AND c.id > coalesce(i.active_app_server_id, 0))))"
    )
});

#[derive(diesel::QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    id: AppServerId,
    #[diesel(sql_type = BigInt)]
    instance_id: InstanceId,
}

/// Records since when app servers are not needed and when their machines end, and clears both for those that are needed
/// again: one statement each. Returns the app servers that changed.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn mark(conn: &mut AsyncPgConnection, hours: u32) -> Result<Vec<(InstanceId, AppServerId)>, DbError> {
    let hours = i32::try_from(hours).unwrap_or(i32::MAX);
    let unneeded = UNNEEDED.as_str();
    let mut changed: Vec<Changed> = diesel::sql_query(format!(
        "WITH unneeded AS ({unneeded}), written AS ( \
            INSERT INTO app_server_retention AS kept (app_server_id, unneeded_since, terminates_at) \
            SELECT id, now(), now() + make_interval(hours => hours) FROM unneeded \
            ON CONFLICT (app_server_id) DO UPDATE SET \
                unneeded_since = coalesce(kept.unneeded_since, excluded.unneeded_since), \
                terminates_at = excluded.terminates_at \
                    - (excluded.unneeded_since - coalesce(kept.unneeded_since, excluded.unneeded_since)) \
            WHERE kept.terminates_at IS DISTINCT FROM excluded.terminates_at \
                - (excluded.unneeded_since - coalesce(kept.unneeded_since, excluded.unneeded_since)) \
            RETURNING app_server_id) \
        SELECT a.id, a.instance_id FROM written JOIN app_servers AS a ON a.id = written.app_server_id"
    ))
    .bind::<Integer, _>(hours)
    .load(conn)
    .await?;
    let needed: Vec<Changed> = diesel::sql_query(format!(
        "WITH unneeded AS ({unneeded}) \
         UPDATE app_server_retention AS kept SET unneeded_since = NULL, terminates_at = NULL FROM app_servers AS own \
         WHERE own.id = kept.app_server_id AND kept.unneeded_since IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM unneeded WHERE unneeded.id = kept.app_server_id) \
         RETURNING own.id, own.instance_id"
    ))
    .bind::<Integer, _>(hours)
    .load(conn)
    .await?;
    changed.extend(needed);
    Ok(changed.into_iter().map(|Changed { id, instance_id }| (instance_id, id)).collect())
}

#[derive(diesel::QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
}

/// App servers whose retention has ended, the earliest first; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn due(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<AppServerId>, DbError> {
    let rows: Vec<Due> = diesel::sql_query(
        "SELECT app_server_id FROM app_server_retention WHERE terminates_at <= now() \
         ORDER BY terminates_at, app_server_id LIMIT $1",
    )
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Due { app_server_id }| app_server_id).collect())
}

#[derive(diesel::QueryableByName)]
struct Since {
    #[diesel(sql_type = Timestamptz)]
    unneeded_since: DateTime<Utc>,
}

/// Since when an app server whose retention has ended is not needed; None if it is needed after all. Called under the
/// instance's lock, so that the answer stays true.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_due(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    hours: u32,
) -> Result<Option<DateTime<Utc>>, DbError> {
    use diesel::OptionalExtension;
    let unneeded = UNNEEDED.as_str();
    let row: Option<Since> = diesel::sql_query(format!(
        "WITH unneeded AS ({unneeded} AND a.id = $2) SELECT kept.unneeded_since FROM unneeded \
         JOIN app_server_retention AS kept ON kept.app_server_id = unneeded.id \
         WHERE kept.unneeded_since + make_interval(hours => unneeded.hours) <= now()"
    ))
    .bind::<Integer, _>(i32::try_from(hours).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(row.map(|Since { unneeded_since }| unneeded_since))
}

/// Clears the end of an app server's machine, because its termination was requested.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE app_server_retention SET unneeded_since = NULL, terminates_at = NULL WHERE app_server_id = $1",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Pins an app server. False: it was pinned already.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn pin(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    by: &Actor,
    reason: Option<&str>,
) -> Result<bool, DbError> {
    let pinned = diesel::sql_query(
        "INSERT INTO app_server_retention AS kept (app_server_id, pinned_at, pinned_by, pin_reason) \
         VALUES ($1, now(), $2, $3) ON CONFLICT (app_server_id) DO UPDATE SET pinned_at = now(), \
         pinned_by = excluded.pinned_by, pin_reason = excluded.pin_reason, unneeded_since = NULL, terminates_at = NULL \
         WHERE kept.pinned_at IS NULL",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(by)
    .bind::<Nullable<Text>, _>(reason)
    .execute(conn)
    .await?;
    Ok(pinned == 1)
}

/// Unpins an app server. False: it was not pinned.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn unpin(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<bool, DbError> {
    let unpinned = diesel::sql_query(
        "UPDATE app_server_retention SET pinned_at = NULL, pinned_by = NULL, pin_reason = NULL \
         WHERE app_server_id = $1 AND pinned_at IS NOT NULL",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    Ok(unpinned == 1)
}

#[derive(diesel::QueryableByName)]
struct ExpiringRow {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    #[diesel(sql_type = Text)]
    app_server_name: String,
    #[diesel(sql_type = BigInt)]
    instance_id: InstanceId,
    #[diesel(sql_type = Text)]
    instance_name: String,
    #[diesel(sql_type = BigInt)]
    server_id: ServerId,
    #[diesel(sql_type = Text)]
    server_name: String,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Nullable<Text>)]
    public_ip: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    unneeded_since: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    terminates_at: DateTime<Utc>,
}

/// App servers whose machines are to end, the earliest first, after a cursor.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn page(
    conn: &mut AsyncPgConnection,
    after: Option<(DateTime<Utc>, AppServerId)>,
    limit: i64,
) -> Result<Vec<Expiring>, DbError> {
    let rows: Vec<ExpiringRow> = diesel::sql_query(format!(
        "SELECT kept.app_server_id, a.name AS app_server_name, i.id AS instance_id, i.name AS instance_name, \
         s.id AS server_id, s.name AS server_name, s.provider, s.public_ip, kept.unneeded_since, kept.terminates_at FROM app_server_retention AS kept \
         JOIN app_servers AS a ON a.id = kept.app_server_id JOIN instances AS i ON i.id = a.instance_id \
         JOIN servers AS s ON s.id = a.server_id \
         WHERE kept.terminates_at IS NOT NULL AND s.termination_requested_at IS NULL AND s.status <> {DELETED} \
         AND ($1::timestamptz IS NULL OR (kept.terminates_at, kept.app_server_id) > ($1, $2)) \
         ORDER BY kept.terminates_at, kept.app_server_id LIMIT $3"
    ))
    .bind::<Nullable<Timestamptz>, _>(after.map(|(at, _)| at))
    .bind::<Nullable<BigInt>, _>(after.map(|(_, id)| id))
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let expiring = |row: ExpiringRow| {
        let ExpiringRow {
            app_server_id,
            app_server_name,
            instance_id,
            instance_name,
            server_id,
            server_name,
            provider,
            public_ip,
            unneeded_since,
            terminates_at,
        } = row;
        Expiring {
            app_server_id,
            app_server_name,
            instance_id,
            instance_name,
            server_id,
            server_name,
            provider,
            public_ip,
            unneeded_since,
            terminates_at,
        }
    };
    Ok(rows.into_iter().map(expiring).collect())
}
