//! The build queue: which builds wait, in which order they begin, and which workers hold them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::queue::{Queue, QueueEntry, QueuePause, Queued, Tier, WorkerState};
use shared_types::{AppServerId, InstanceId};

use super::providers::{WAIT, WAITS};
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{queue_pause, workers};
use crate::platform::db::statuses::BUILDING;
use crate::platform::origin::Actor;

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
}

/// Builds that no worker holds and that could go on now: those to be stopped, those begun, then the queue's in its
/// order; at most `limit` that need a slot.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn unattended(conn: &mut AsyncPgConnection, limit: i32) -> Result<Vec<AppServerId>, DbError> {
    let rows: Vec<Found> = diesel::sql_query(format!(
        "WITH waits AS MATERIALIZED ({waits}), unattended AS (SELECT a.id, a.instance_id, a.server_id, b.begun_at, b.stop_requested_at FROM builds AS b \
             JOIN app_servers AS a ON a.id = b.app_server_id WHERE a.status IN ({BUILDING}) \
             AND (b.lease_until IS NULL OR b.lease_until < now())), \
         busy AS (SELECT a.instance_id, count(*) AS n FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id \
             WHERE a.status IN ({BUILDING}) AND b.begun_at IS NOT NULL GROUP BY a.instance_id) \
         (SELECT id AS app_server_id FROM unattended WHERE stop_requested_at IS NOT NULL) UNION ALL \
         (SELECT u.id FROM unattended AS u JOIN instances AS i ON i.id = u.instance_id \
             JOIN servers ON servers.id = u.server_id LEFT JOIN busy ON busy.instance_id = u.instance_id \
             WHERE u.stop_requested_at IS NULL AND (u.begun_at IS NOT NULL \
                 OR (coalesce(busy.n, 0) < i.max_builds AND NOT EXISTS (SELECT 1 FROM queue_pause) \
                     AND NOT EXISTS (SELECT 1 FROM waits AS w WHERE w.name = servers.provider AND w.words IS NOT NULL))) \
             ORDER BY u.begun_at IS NULL, i.tier <> 'production', u.id LIMIT $1)",
        waits = *WAITS
    ))
    .bind::<Integer, _>(limit)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.app_server_id).collect())
}

/// Takes a build out of the queue, unless it was taken before. False: not now, because its instance runs
/// `max_builds` builds already, its provider makes no more machines for now, or the queue is paused.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn begin(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<bool, DbError> {
    let is_begun: Option<Found> = diesel::sql_query(
        "SELECT app_server_id FROM builds WHERE app_server_id = $1 AND (begun_at IS NOT NULL OR stop_requested_at IS NOT NULL)",
    )
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    if is_begun.is_some() {
        return Ok(true);
    }
    // The lock serializes decisions about one instance.
    diesel::sql_query(
        "SELECT 1 FROM instances WHERE id = (SELECT instance_id FROM app_servers WHERE id = $1) FOR NO KEY UPDATE",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    // And this one those about one provider that has a budget.
    diesel::sql_query(
        "SELECT 1 FROM providers WHERE budget IS NOT NULL AND name = (SELECT s.provider FROM servers AS s \
             JOIN app_servers AS a ON a.server_id = s.id WHERE a.id = $1) FOR NO KEY UPDATE",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    let begun = diesel::sql_query(format!(
        "UPDATE builds SET begun_at = now() WHERE app_server_id = $1 AND NOT EXISTS (SELECT 1 FROM queue_pause) \
         AND (SELECT {wait} FROM servers JOIN app_servers AS a ON a.server_id = servers.id WHERE a.id = $1) IS NULL \
         AND (SELECT count(*) FROM app_servers AS own JOIN app_servers AS a ON a.instance_id = own.instance_id \
             JOIN builds AS b ON b.app_server_id = a.id WHERE own.id = $1 AND b.begun_at IS NOT NULL \
             AND a.status IN ({BUILDING})) \
         < (SELECT i.max_builds FROM instances AS i JOIN app_servers AS a ON a.instance_id = i.id WHERE a.id = $1)",
        wait = *WAIT
    ))
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    Ok(begun == 1)
}

/// Puts a build that was begun back into the queue. Its open step counts as not begun.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn put_back(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    diesel::sql_query(
        "WITH step AS (DELETE FROM build_steps WHERE app_server_id = $1 AND ended IS NULL) \
         UPDATE builds SET begun_at = NULL, deadline = NULL, estimated_end = NULL WHERE app_server_id = $1",
    )
    .bind::<BigInt, _>(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Pauses the queue. False: it was paused already.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn pause(conn: &mut AsyncPgConnection, by: &Actor, reason: Option<&str>) -> Result<bool, DbError> {
    let paused = diesel::insert_into(queue_pause::table)
        .values((queue_pause::paused_by.eq(by), queue_pause::reason.eq(reason)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(paused == 1)
}

/// Resumes the queue. False: it was not paused.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn resume(conn: &mut AsyncPgConnection) -> Result<bool, DbError> {
    Ok(diesel::delete(queue_pause::table).execute(conn).await? == 1)
}

#[derive(diesel::QueryableByName)]
struct EntryRow {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    #[diesel(sql_type = Text)]
    app_server_name: String,
    #[diesel(sql_type = BigInt)]
    instance_id: InstanceId,
    #[diesel(sql_type = Text)]
    instance_name: String,
    #[diesel(sql_type = Text)]
    tier: Tier,
    #[diesel(sql_type = Integer)]
    max_builds: i32,
    #[diesel(sql_type = Timestamptz)]
    created: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    begun_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    worker: Option<String>,
    /// Whether it waits for its machine, which takes no slot.
    #[diesel(sql_type = Bool)]
    is_waiting_for_machine: bool,
    /// Why it must wait for its provider.
    #[diesel(sql_type = Nullable<Text>)]
    quota: Option<String>,
}

/// The whole queue. Three queries.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn read(conn: &mut AsyncPgConnection) -> Result<Queue, DbError> {
    let pause: Option<(String, DateTime<Utc>, Option<String>)> = queue_pause::table
        .select((queue_pause::paused_by, queue_pause::paused_at, queue_pause::reason))
        .first(conn)
        .await
        .optional()?;
    let workers = workers(conn).await?;
    let rows: Vec<EntryRow> = diesel::sql_query(format!(
        "SELECT a.id AS app_server_id, a.name AS app_server_name, i.id AS instance_id, i.name AS instance_name, i.tier, \
         i.max_builds, a.created, b.begun_at, CASE WHEN b.lease_until > now() THEN b.lease_holder END AS worker, \
         b.step IS NOT DISTINCT FROM 'server' AS is_waiting_for_machine, \
         CASE WHEN b.begun_at IS NULL THEN {wait} END AS quota \
         FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id JOIN instances AS i ON i.id = a.instance_id \
         JOIN servers ON servers.id = a.server_id WHERE a.status IN ({BUILDING}) \
         ORDER BY b.begun_at NULLS LAST, i.tier <> 'production', a.id",
        wait = *WAIT
    ))
    .load(conn)
    .await?;
    let pause = pause.map(|(by, at, reason)| QueuePause { by, at, reason });
    let able = workers.iter().filter(|worker| !worker.is_draining && worker.trouble.is_none());
    let slots: i64 = able.map(|worker| i64::from(worker.slots)).sum();
    let takes_slot = |row: &&EntryRow| row.worker.is_some() && !row.is_waiting_for_machine;
    let slots_in_use = rows.iter().filter(takes_slot).map(|_| 1).sum();
    let trouble = if slots == 0 { workers.iter().find_map(|worker| worker.trouble.clone()) } else { None };
    let begun_of =
        |instance: InstanceId| rows.iter().filter(|row| row.instance_id == instance && row.begun_at.is_some()).count();
    let (mut building, mut waiting, mut ahead) = (Vec::new(), Vec::new(), 0);
    for row in &rows {
        let waits_for = row.begun_at.is_none().then(|| {
            let is_instance_busy = begun_of(row.instance_id) >= usize::try_from(row.max_builds).unwrap_or(0);
            let (is_paused, trouble, quota) = (pause.is_some(), trouble.clone(), row.quota.clone());
            ahead += 1;
            Queued { ahead: ahead - 1, slots, slots_in_use, is_paused, is_instance_busy, trouble, quota }.words()
        });
        let entries = if waits_for.is_some() { &mut waiting } else { &mut building };
        entries.push(row.entry(waits_for));
    }
    Ok(Queue { pause, slots, slots_in_use, workers, building, waiting })
}

impl EntryRow {
    fn entry(&self, waits_for: Option<String>) -> QueueEntry {
        QueueEntry {
            app_server_id: self.app_server_id,
            app_server_name: self.app_server_name.clone(),
            instance_id: self.instance_id,
            instance_name: self.instance_name.clone(),
            tier: self.tier,
            created: self.created,
            begun_at: self.begun_at,
            worker: self.worker.clone(),
            waits_for,
        }
    }
}

/// Workers seen within the last 15 seconds, by the database's clock.
async fn workers(conn: &mut AsyncPgConnection) -> Result<Vec<WorkerState>, DbError> {
    type Row = (String, String, String, i32, DateTime<Utc>, DateTime<Utc>, bool, Option<String>);
    let rows: Vec<Row> = workers::table
        .filter(workers::seen.gt(fixed::<Timestamptz>("now() - interval '15 seconds'")))
        .order(workers::started)
        .select((
            workers::id,
            workers::hostname,
            workers::version,
            workers::slots,
            workers::started,
            workers::seen,
            workers::is_draining,
            workers::trouble,
        ))
        .load(conn)
        .await?;
    let worker = |(id, hostname, version, slots, started, seen, is_draining, trouble)| WorkerState {
        id,
        hostname,
        version,
        slots,
        started,
        seen,
        is_draining,
        trouble,
    };
    Ok(rows.into_iter().map(worker).collect())
}
