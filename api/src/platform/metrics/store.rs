//! What the database knows, for the figures. One statement.

use diesel::sql_types::{BigInt, Double, Json};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::platform::db::DbError;
use crate::platform::jobs::workers::LEASE;

/// The figures of the whole installation, at one moment.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Figures {
    /// How many app servers have each status: an object, without those that none has.
    #[diesel(sql_type = Json)]
    pub builds: Value,
    /// Builds that nobody has begun.
    #[diesel(sql_type = BigInt)]
    pub queue_depth: i64,
    /// Seconds since the oldest of them was launched; 0 where there is none, as with all ages here.
    #[diesel(sql_type = Double)]
    pub queue_oldest: f64,
    /// Builds that somebody is at.
    #[diesel(sql_type = BigInt)]
    pub leases_held: i64,
    /// Builds whose holder has not renewed its lease in time.
    #[diesel(sql_type = BigInt)]
    pub leases_expired: i64,
    /// Seconds since the first of these leases ran out.
    #[diesel(sql_type = Double)]
    pub leases_expired_oldest: f64,
    /// Workers that live.
    #[diesel(sql_type = BigInt)]
    pub workers: i64,
    /// How many builds those of them that begin any do at once.
    #[diesel(sql_type = BigInt)]
    pub slots: i64,
    /// How many builds are under way.
    #[diesel(sql_type = BigInt)]
    pub slots_in_use: i64,
    /// Instances whose traffic the gateway does not have yet as it was decided.
    #[diesel(sql_type = BigInt)]
    pub routing_behind: i64,
    /// Seconds since the oldest switch among these decisions.
    #[diesel(sql_type = Double)]
    pub routing_behind_oldest: f64,
    /// Jobs that are to be done, those that wait for another try too.
    #[diesel(sql_type = BigInt)]
    pub jobs_waiting: i64,
    /// Jobs that were tried as often as they may be.
    #[diesel(sql_type = BigInt)]
    pub jobs_failed: i64,
    /// Instances in use.
    #[diesel(sql_type = BigInt)]
    pub instances_in_use: i64,
    /// Instances put away.
    #[diesel(sql_type = BigInt)]
    pub instances_archived: i64,
    /// How many instances have each health: an object, without those that none has.
    #[diesel(sql_type = Json)]
    pub health: Value,
    /// Seconds since every health has been unknown because no checks are made; 0 where they are.
    #[diesel(sql_type = Double)]
    pub checks_stale: f64,
    /// Messages that are to be sent.
    #[diesel(sql_type = BigInt)]
    pub outbox_waiting: i64,
    /// Seconds since the oldest of them was written.
    #[diesel(sql_type = Double)]
    pub outbox_oldest: f64,
    /// Messages that were given up, of those that are still kept.
    #[diesel(sql_type = BigInt)]
    pub outbox_given_up: i64,
}

/// Reads them.
///
/// # Errors
/// When the statement fails.
pub async fn read(conn: &mut AsyncPgConnection) -> Result<Figures, DbError> {
    let figures = diesel::sql_query(
        "WITH building AS (SELECT a.created, b.begun_at, b.lease_until FROM app_servers AS a \
             JOIN builds AS b ON b.app_server_id = a.id WHERE a.status IN ('new', 'waiting', 'configuring')), \
         counted AS (SELECT status, count(*) AS n FROM app_servers GROUP BY status), \
         queue AS (SELECT count(*) AS n, min(created) AS since FROM building WHERE begun_at IS NULL), \
         held AS (SELECT lease_until FROM builds WHERE lease_holder IS NOT NULL), \
         expired AS (SELECT count(*) AS n, min(lease_until) AS since FROM held WHERE lease_until <= now()), \
         alive AS (SELECT slots, is_draining OR trouble IS NOT NULL AS is_unable FROM workers \
             WHERE seen > now() - make_interval(secs => $1)), \
         behind AS (SELECT id, routing_applied_generation AS applied FROM instances \
             WHERE routing_applied_generation < routing_generation), \
         switches AS (SELECT min(s.activated_at) AS since FROM activations AS s \
             JOIN behind ON behind.id = s.instance_id AND s.generation > behind.applied), \
         watch AS (SELECT fresh_until FROM health_watch WHERE fresh_until <= now()), \
         healths AS (SELECT CASE WHEN EXISTS (SELECT 1 FROM watch) THEN 'unknown' ELSE state END AS state, count(*) AS n \
             FROM instance_health GROUP BY 1), \
         unsent AS (SELECT count(*) AS n, min(created) AS since FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL), \
         jobs AS (SELECT attempts >= max_attempts AS is_failed, locked_at FROM graphile_worker.jobs) \
         SELECT (SELECT coalesce(json_object_agg(status, n), '{}') FROM counted) AS builds, \
         queue.n AS queue_depth, \
         greatest(coalesce(extract(epoch FROM now() - queue.since), 0), 0)::float8 AS queue_oldest, \
         (SELECT count(*) FROM held WHERE lease_until > now()) AS leases_held, \
         expired.n AS leases_expired, \
         coalesce(extract(epoch FROM now() - expired.since), 0)::float8 AS leases_expired_oldest, \
         (SELECT count(*) FROM alive) AS workers, \
         (SELECT coalesce(sum(slots), 0) FROM alive WHERE NOT is_unable)::int8 AS slots, \
         (SELECT count(*) FROM building WHERE lease_until > now()) AS slots_in_use, \
         (SELECT count(*) FROM behind) AS routing_behind, \
         greatest(coalesce(extract(epoch FROM now() - switches.since), 0), 0)::float8 AS routing_behind_oldest, \
         (SELECT count(*) FROM jobs WHERE NOT is_failed AND locked_at IS NULL) AS jobs_waiting, \
         (SELECT count(*) FROM jobs WHERE is_failed AND locked_at IS NULL) AS jobs_failed, \
         (SELECT count(*) FROM instances WHERE archived_at IS NULL) AS instances_in_use, \
         (SELECT count(*) FROM instances WHERE archived_at IS NOT NULL) AS instances_archived, \
         (SELECT coalesce(json_object_agg(state, n), '{}') FROM healths) AS health, \
         coalesce((SELECT extract(epoch FROM now() - fresh_until) FROM watch), 0)::float8 AS checks_stale, \
         unsent.n AS outbox_waiting, \
         greatest(coalesce(extract(epoch FROM now() - unsent.since), 0), 0)::float8 AS outbox_oldest, \
         (SELECT count(*) FROM outbox WHERE given_up_at IS NOT NULL) AS outbox_given_up \
         FROM queue, expired, switches, unsent",
    )
    .bind::<Double, _>(LEASE.as_secs_f64())
    .get_result(conn)
    .await?;
    Ok(figures)
}
