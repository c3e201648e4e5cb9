//! Where builds that have not begun stand in the queue, and what each waits for. Apart from the summaries of app servers:
//! few builds wait, and these expressions would cost each of the others something.

use std::collections::HashMap;
use std::sync::LazyLock;

use diesel::sql_types::{Array, BigInt, Jsonb};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::AppServerId;
use shared_types::queue::Queued;

use super::providers::WAIT;
use crate::platform::db::DbError;
use crate::platform::db::statuses::BUILDING;

static QUEUED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "WITH alive AS (SELECT * FROM workers WHERE seen > now() - interval '15 seconds' AND NOT is_draining) \
    SELECT app_servers.id, jsonb_build_object(\
        'ahead', (SELECT count(*) FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id \
            JOIN instances AS i ON i.id = a.instance_id WHERE a.status IN ({BUILDING}) AND b.begun_at IS NULL \
            AND (i.tier <> 'production', a.id) < (instances.tier <> 'production', app_servers.id)), \
        'slots', (SELECT coalesce(sum(slots), 0) FROM alive WHERE trouble IS NULL), \
        'slots_in_use', (SELECT count(*) FROM builds AS b WHERE b.lease_holder IS NOT NULL AND b.lease_until > now() \
            AND b.step IS DISTINCT FROM 'server'), \
        'is_paused', EXISTS (SELECT 1 FROM queue_pause), \
        'is_instance_busy', (SELECT count(*) FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id \
            WHERE a.instance_id = app_servers.instance_id AND a.status IN ({BUILDING}) \
            AND b.begun_at IS NOT NULL) >= instances.max_builds, \
        'quota', {wait}, \
        'trouble', (SELECT min(trouble) FROM alive HAVING bool_and(trouble IS NOT NULL))) AS queued \
    FROM app_servers JOIN instances ON instances.id = app_servers.instance_id \
    JOIN servers ON servers.id = app_servers.server_id WHERE app_servers.id = ANY($1)",
        wait = *WAIT
    )
});

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: AppServerId,
    #[diesel(sql_type = Jsonb)]
    queued: Value,
}

/// The queue's state of these builds, which have not begun. One query.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub(super) async fn of(
    conn: &mut AsyncPgConnection,
    ids: &[AppServerId],
) -> Result<HashMap<AppServerId, Queued>, DbError> {
    let rows: Vec<Row> = diesel::sql_query(QUEUED.as_str()).bind::<Array<BigInt>, _>(ids).load(conn).await?;
    rows.into_iter().map(|row| Ok((row.id, serde_json::from_value(row.queued)?))).collect()
}
