//! The table `backups`: which instances are due for a scheduled backup, and which backups are not kept.

use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{BackupId, InstanceId};

use crate::platform::db::DbError;

/// Instances that are not archived, have databases or buckets, and whose newest complete scheduled backup was asked for at least so many
/// hours ago. After a failure, they are due again in an hour; where a restore has left the databases incomplete, or a build migrates
/// them, which the page of the program says, they are not.
const DUE: &str = "\
    SELECT i.id FROM instances AS i WHERE i.archived_at IS NULL AND ($1 IS NULL OR i.id = $1) \
        AND (i.maintenance_by IS NULL OR i.maintenance_by NOT IN ('backups', 'migration')) \
        AND NOT EXISTS (SELECT FROM migrating_builds AS m WHERE m.instance_id = i.id \
            AND m.state IN ('snapshot', 'migrating', 'restoring')) \
        AND EXISTS (SELECT FROM resources AS r WHERE r.instance_id = i.id AND r.part = 'database' AND r.state = 'present' \
            AND r.kind IN ('mysql', 'postgresql', 's3', 'swift')) \
        AND NOT EXISTS (SELECT FROM backups AS b WHERE coalesce(b.into_instance_id, b.instance_id) = i.id \
            AND b.work IN ('write', 'verify', 'restore')) \
        AND NOT EXISTS (SELECT FROM backups AS b WHERE b.instance_id = i.id AND b.reason = 'scheduled' \
            AND (b.state = 'complete' AND b.created > now() - $2 * interval '1 hour' \
                OR b.state = 'failed' AND b.ended > now() - interval '1 hour')) \
    ORDER BY i.id LIMIT $3";

/// Complete scheduled backups but the newest of each instance, failed ones but the newest, and old snapshots from before migrations that
/// are over; none that something is done with.
const NOT_KEPT: &str = "\
    SELECT id FROM (SELECT id, work, state, \
            row_number() OVER (PARTITION BY instance_id, state ORDER BY created DESC, id DESC) AS nth \
        FROM backups WHERE (state = 'complete' AND reason = 'scheduled' OR state = 'failed') \
            AND work IS DISTINCT FROM 'delete') AS b \
    WHERE b.work IS NULL AND b.nth > CASE b.state WHEN 'complete' THEN $1 ELSE $2 END \
    UNION ALL SELECT id FROM backups AS b WHERE reason = 'migration' AND state = 'complete' AND work IS NULL \
        AND ended < now() - $3 * interval '1 day' AND NOT EXISTS (SELECT FROM migrating_builds AS m WHERE m.backup_id = b.id \
            AND m.state IN ('planned', 'snapshot', 'migrating', 'restoring', 'needs_person')) \
    ORDER BY id LIMIT $4";

/// Which backups are kept.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// How many complete scheduled ones of each instance.
    pub complete: u32,
    /// How many failed ones of each instance.
    pub failed: u32,
    /// For how many days the snapshots from before migrations.
    pub migration_days: u32,
}

#[derive(diesel::QueryableByName)]
struct Due {
    #[diesel(sql_type = BigInt)]
    id: InstanceId,
}

#[derive(diesel::QueryableByName)]
struct NotKept {
    #[diesel(sql_type = BigInt)]
    id: BackupId,
}

/// The instances that are due for a scheduled backup; at most `limit`. `only`: whether this one is.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn due(
    conn: &mut AsyncPgConnection,
    only: Option<InstanceId>,
    every_hours: u32,
    limit: i64,
) -> Result<Vec<InstanceId>, DbError> {
    let due: Vec<Due> = diesel::sql_query(DUE)
        .bind::<Nullable<BigInt>, _>(only)
        .bind::<Integer, _>(i32::try_from(every_hours).unwrap_or(i32::MAX))
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
    Ok(due.into_iter().map(|Due { id }| id).collect())
}

/// Backups that are to be deleted, so that only those stay that are kept; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn not_kept(conn: &mut AsyncPgConnection, kept: Kept, limit: i64) -> Result<Vec<BackupId>, DbError> {
    let Kept { complete, failed, migration_days } = kept;
    let ids: Vec<NotKept> = diesel::sql_query(NOT_KEPT)
        .bind::<BigInt, _>(i64::from(complete))
        .bind::<BigInt, _>(i64::from(failed))
        .bind::<Integer, _>(i32::try_from(migration_days).unwrap_or(i32::MAX))
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
    Ok(ids.into_iter().map(|NotKept { id }| id).collect())
}
