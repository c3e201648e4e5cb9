//! The metrics that are read from the database, in one statement.

use diesel::sql_types::{BigInt, Double, Json};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::platform::db::DbError;
use crate::platform::db::statuses::BUILDING;
use crate::platform::jobs::workers::LEASE;

/// The metrics of the whole installation at one moment.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Figures {
    /// The number of app servers by status: an object, without statuses that no app server has.
    #[diesel(sql_type = Json)]
    pub builds: Value,
    /// Builds that no worker has begun.
    #[diesel(sql_type = BigInt)]
    pub queue_depth: i64,
    /// Age of the oldest of these builds in seconds; all ages here are 0 if there is nothing to measure.
    #[diesel(sql_type = Double)]
    pub queue_oldest: f64,
    /// Builds with a lease that has not expired.
    #[diesel(sql_type = BigInt)]
    pub leases_held: i64,
    /// Builds whose holder has not renewed its lease in time.
    #[diesel(sql_type = BigInt)]
    pub leases_expired: i64,
    /// Seconds since the first of these leases expired.
    #[diesel(sql_type = Double)]
    pub leases_expired_oldest: f64,
    /// Workers that were seen within the lease time.
    #[diesel(sql_type = BigInt)]
    pub workers: i64,
    /// Servers that were seen within the lease time.
    #[diesel(sql_type = BigInt)]
    pub servers: i64,
    /// The sum of the slots of live workers that start builds.
    #[diesel(sql_type = BigInt)]
    pub slots: i64,
    /// The number of builds in progress.
    #[diesel(sql_type = BigInt)]
    pub slots_in_use: i64,
    /// Instances whose traffic decision the gateway has not applied yet.
    #[diesel(sql_type = BigInt)]
    pub routing_behind: i64,
    /// Seconds since the oldest switch among these decisions.
    #[diesel(sql_type = Double)]
    pub routing_behind_oldest: f64,
    /// Jobs in the queue, including those that wait for a retry.
    #[diesel(sql_type = BigInt)]
    pub jobs_waiting: i64,
    /// Jobs that failed as often as they may be tried.
    #[diesel(sql_type = BigInt)]
    pub jobs_failed: i64,
    /// Instances that are not archived.
    #[diesel(sql_type = BigInt)]
    pub instances_in_use: i64,
    /// Instances that are archived.
    #[diesel(sql_type = BigInt)]
    pub instances_archived: i64,
    /// The number of instances by health: an object, without states that no instance has.
    #[diesel(sql_type = Json)]
    pub health: Value,
    /// Seconds since health became stale because no checks are made; 0 while they are made.
    #[diesel(sql_type = Double)]
    pub checks_stale: f64,
    /// Messages that are to be sent.
    #[diesel(sql_type = BigInt)]
    pub outbox_waiting: i64,
    /// Seconds since the oldest of these messages was written.
    #[diesel(sql_type = Double)]
    pub outbox_oldest: f64,
    /// The number of certificates by state: an object, without states that no certificate has.
    #[diesel(sql_type = Json)]
    pub certificates: Value,
    /// Seconds until the first certificate in a state expires, negative if it has: an object, without states that have none.
    #[diesel(sql_type = Json)]
    pub certificates_expire: Value,
    /// Messages that were given up and not deleted yet.
    #[diesel(sql_type = BigInt)]
    pub outbox_given_up: i64,
    /// Whether each gateway with an agent has all routes: an object of 1 and 0 by name.
    #[diesel(sql_type = Json)]
    pub gateways: Value,
}

/// Reads all metrics of the database.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn read(conn: &mut AsyncPgConnection) -> Result<Figures, DbError> {
    let figures = diesel::sql_query(format!(
        "WITH building AS (SELECT a.created, b.begun_at, b.lease_until FROM app_servers AS a \
             JOIN builds AS b ON b.app_server_id = a.id WHERE a.status IN ({BUILDING})), \
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
         own AS (SELECT state, count(*) AS n, extract(epoch FROM min(not_after) - now())::float8 AS expires FROM certificates \
             WHERE source = 'files' OR instance_id IS NOT NULL GROUP BY state), \
         jobs AS (SELECT attempts >= max_attempts AS is_failed, locked_at FROM graphile_worker.jobs) \
         SELECT (SELECT coalesce(json_object_agg(status, n), '{{}}') FROM counted) AS builds, \
         queue.n AS queue_depth, \
         greatest(coalesce(extract(epoch FROM now() - queue.since), 0), 0)::float8 AS queue_oldest, \
         (SELECT count(*) FROM held WHERE lease_until > now()) AS leases_held, \
         expired.n AS leases_expired, \
         coalesce(extract(epoch FROM now() - expired.since), 0)::float8 AS leases_expired_oldest, \
         (SELECT count(*) FROM alive) AS workers, \
         (SELECT count(*) FROM server_processes WHERE seen > now() - make_interval(secs => $1)) AS servers, \
         (SELECT coalesce(sum(slots), 0) FROM alive WHERE NOT is_unable)::int8 AS slots, \
         (SELECT count(*) FROM building WHERE lease_until > now()) AS slots_in_use, \
         (SELECT count(*) FROM behind) AS routing_behind, \
         greatest(coalesce(extract(epoch FROM now() - switches.since), 0), 0)::float8 AS routing_behind_oldest, \
         (SELECT count(*) FROM jobs WHERE NOT is_failed AND locked_at IS NULL) AS jobs_waiting, \
         (SELECT count(*) FROM jobs WHERE is_failed AND locked_at IS NULL) AS jobs_failed, \
         (SELECT count(*) FROM instances WHERE archived_at IS NULL) AS instances_in_use, \
         (SELECT count(*) FROM instances WHERE archived_at IS NOT NULL) AS instances_archived, \
         (SELECT coalesce(json_object_agg(state, n), '{{}}') FROM healths) AS health, \
         coalesce((SELECT extract(epoch FROM now() - fresh_until) FROM watch), 0)::float8 AS checks_stale, \
         (SELECT coalesce(json_object_agg(state, n), '{{}}') FROM own) AS certificates, \
         (SELECT coalesce(json_object_agg(state, expires), '{{}}') FROM own WHERE expires IS NOT NULL) AS certificates_expire, \
         unsent.n AS outbox_waiting, \
         greatest(coalesce(extract(epoch FROM now() - unsent.since), 0), 0)::float8 AS outbox_oldest, \
         (SELECT count(*) FROM outbox WHERE given_up_at IS NOT NULL) AS outbox_given_up, \
         (SELECT coalesce(json_object_agg(g.name, (g.seen > now() - make_interval(secs => $1) AND g.error IS NULL \
             AND g.revision = r.revision) IS TRUE), '{{}}') FROM gateways AS g, gateway_revision AS r) AS gateways \
         FROM queue, expired, switches, unsent"
))
    .bind::<Double, _>(LEASE.as_secs_f64())
    .get_result(conn)
    .await?;
    Ok(figures)
}
