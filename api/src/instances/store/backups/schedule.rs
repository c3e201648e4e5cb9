//! The table `backups`: which instances are due for a scheduled backup, and which backups are not kept.

use diesel::sql_types::{BigInt, Integer, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{BackupId, InstanceId};

use crate::platform::db::DbError;

/// Instances that are not archived, have databases, and whose newest complete scheduled backup was asked for at least so many
/// hours ago. After a failure, they are due again in an hour; where a restore has left the databases incomplete, which the
/// page of the program says, they are not.
const DUE: &str = "\
    SELECT i.id FROM instances AS i WHERE i.archived_at IS NULL AND ($1 IS NULL OR i.id = $1) \
        AND i.maintenance_by IS DISTINCT FROM 'backups' \
        AND EXISTS (SELECT FROM resources AS r WHERE r.instance_id = i.id AND r.part = 'database' AND r.state = 'present' \
            AND r.kind IN ('mysql', 'postgresql')) \
        AND NOT EXISTS (SELECT FROM backups AS b WHERE b.instance_id = i.id AND (b.work IN ('write', 'verify', 'restore') \
            OR b.reason = 'scheduled' AND (b.state = 'complete' AND b.created > now() - $2 * interval '1 hour' \
                OR b.state = 'failed' AND b.ended > now() - interval '1 hour'))) \
    ORDER BY i.id LIMIT $3";

/// Complete scheduled backups but the newest of each instance, and failed ones but the newest; none that something is done with.
const NOT_KEPT: &str = "\
    SELECT id FROM (SELECT id, work, state, \
            row_number() OVER (PARTITION BY instance_id, state ORDER BY created DESC, id DESC) AS nth \
        FROM backups WHERE (state = 'complete' AND reason = 'scheduled' OR state = 'failed') \
            AND work IS DISTINCT FROM 'delete') AS b \
    WHERE b.work IS NULL AND b.nth > CASE b.state WHEN 'complete' THEN $1 ELSE $2 END ORDER BY id LIMIT $3";

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

/// Backups that are to be deleted, so that of each instance so many complete scheduled ones and failed ones stay; at most `limit`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn not_kept(
    conn: &mut AsyncPgConnection,
    complete: u32,
    failed: u32,
    limit: i64,
) -> Result<Vec<BackupId>, DbError> {
    let ids: Vec<NotKept> = diesel::sql_query(NOT_KEPT)
        .bind::<BigInt, _>(i64::from(complete))
        .bind::<BigInt, _>(i64::from(failed))
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await?;
    Ok(ids.into_iter().map(|NotKept { id }| id).collect())
}
