//! The tables `instance_health` and `instance_health_changes`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, Record, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::{AppServerId, HealthState, InstanceHealth, InstanceId};

use crate::platform::db::DbError;
use crate::platform::db::fixed::{Fixed, fixed};
use crate::platform::db::schema::instances;

/// What is known of the sites of an active app server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The state of all sites together.
    pub state: HealthState,
    /// The failing sites, in the application's order.
    pub failing: Vec<String>,
    /// The sites whose last check failed, each with the time of the first failed check in a row.
    pub suspects: BTreeMap<String, DateTime<Utc>>,
    /// When the state began.
    pub since: DateTime<Utc>,
    /// Since when a site fails, also while the state is unknown.
    pub failing_since: Option<DateTime<Utc>>,
    /// When the sites were last checked; None before the first check.
    pub checked_at: Option<DateTime<Utc>>,
}

/// The stored health of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub instance: InstanceId,
    /// Its active app server.
    pub app_server: AppServerId,
    /// The health of its sites.
    pub health: Health,
}

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    instance_id: InstanceId,
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    #[diesel(sql_type = Text)]
    state: HealthState,
    #[diesel(sql_type = Array<Text>)]
    failing: Vec<String>,
    #[diesel(sql_type = Jsonb)]
    suspects: Value,
    #[diesel(sql_type = Timestamptz)]
    since: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    failing_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    checked_at: Option<DateTime<Utc>>,
}

impl Row {
    fn stored(self) -> Result<Stored, DbError> {
        let Self { instance_id, app_server_id, state, failing, suspects, since, failing_since, checked_at } = self;
        let suspects: BTreeMap<String, DateTime<Utc>> = serde_json::from_value(suspects)?;
        let health = Health { state, failing, suspects, since, failing_since, checked_at };
        Ok(Stored { instance: instance_id, app_server: app_server_id, health })
    }
}

/// The health of these instances; instances without one are left out.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn read(conn: &mut AsyncPgConnection, ids: &[InstanceId]) -> Result<Vec<Stored>, DbError> {
    let rows: Vec<Row> = diesel::sql_query("SELECT * FROM instance_health WHERE instance_id = ANY($1)")
        .bind::<Array<BigInt>, _>(ids)
        .load(conn)
        .await?;
    rows.into_iter().map(Row::stored).collect()
}

/// Like [`read`], locked until the transaction ends. Locks the instances first, as a switch of traffic does.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, ids: &[InstanceId]) -> Result<Vec<Stored>, DbError> {
    diesel::sql_query("SELECT 1 FROM instances WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE")
        .bind::<Array<BigInt>, _>(ids)
        .execute(conn)
        .await?;
    read(conn, ids).await
}

/// Updates the check time of instances whose health is unchanged. A later check, or one of another app server, stays.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn refresh(
    conn: &mut AsyncPgConnection,
    checked: &[(InstanceId, AppServerId, DateTime<Utc>)],
) -> Result<(), DbError> {
    let instances: Vec<InstanceId> = checked.iter().map(|one| one.0).collect();
    let app_servers: Vec<AppServerId> = checked.iter().map(|one| one.1).collect();
    let times: Vec<DateTime<Utc>> = checked.iter().map(|one| one.2).collect();
    // In a fixed order, so that two processes do not deadlock.
    diesel::sql_query(
        "WITH checked AS (SELECT * FROM unnest($1, $2, $3) AS c (instance_id, app_server_id, at)), \
         locked AS MATERIALIZED (SELECT h.instance_id FROM instance_health AS h \
             WHERE h.instance_id = ANY($1) ORDER BY h.instance_id FOR UPDATE) \
         UPDATE instance_health AS h SET checked_at = checked.at FROM checked JOIN locked USING (instance_id) \
         WHERE h.instance_id = checked.instance_id AND h.app_server_id = checked.app_server_id \
         AND (h.checked_at IS NULL OR h.checked_at < checked.at)",
    )
    .bind::<Array<BigInt>, _>(instances)
    .bind::<Array<BigInt>, _>(app_servers)
    .bind::<Array<Timestamptz>, _>(times)
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores the health of an instance whose row is locked.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn write(conn: &mut AsyncPgConnection, stored: &Stored) -> Result<(), DbError> {
    let Stored { instance, app_server, health } = stored;
    let Health { state, failing, suspects, since, failing_since, checked_at } = health;
    diesel::sql_query(
        "UPDATE instance_health SET state = $3, failing = $4, suspects = $5, since = $6, failing_since = $7, \
            checked_at = $8 WHERE instance_id = $1 AND app_server_id = $2",
    )
    .bind::<BigInt, _>(instance)
    .bind::<BigInt, _>(app_server)
    .bind::<Text, _>(state)
    .bind::<Array<Text>, _>(failing)
    .bind::<Jsonb, _>(serde_json::to_value(suspects)?)
    .bind::<Timestamptz, _>(since)
    .bind::<Nullable<Timestamptz>, _>(failing_since)
    .bind::<Nullable<Timestamptz>, _>(checked_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A change to record.
#[derive(Debug, Clone)]
pub struct NewChange<'a> {
    /// The instance and its active app server; None: the watch as a whole.
    pub of: Option<(InstanceId, AppServerId)>,
    /// The state from now on.
    pub state: HealthState,
    /// The sites that fail from now on.
    pub failing: &'a [String],
    /// When the failure began that continues, or that this change ends.
    pub failing_since: Option<DateTime<Utc>>,
    /// The results of the failed checks.
    pub detail: Option<&'a str>,
    /// Whether ADMINS get mail about it.
    pub is_mail_owed: bool,
}

/// Appends a change to the list of changes.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn record_change(conn: &mut AsyncPgConnection, change: &NewChange<'_>) -> Result<(), DbError> {
    let NewChange { of, state, failing, failing_since, detail, is_mail_owed } = change;
    diesel::sql_query(
        "INSERT INTO instance_health_changes \
            (instance_id, app_server_id, state, failing, failing_since, detail, is_mail_owed) \
         VALUES ($1, $2, $3, $4, $5, left($6, 1000), $7)",
    )
    .bind::<Nullable<BigInt>, _>(of.map(|of| of.0))
    .bind::<Nullable<BigInt>, _>(of.map(|of| of.1))
    .bind::<Text, _>(state)
    .bind::<Array<Text>, _>(*failing)
    .bind::<Nullable<Timestamptz>, _>(failing_since)
    .bind::<Nullable<Text>, _>(detail)
    .bind::<Bool, _>(is_mail_owed)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes changes older than `days`, at most `limit` of them. Returns how many.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn prune_changes(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    Ok(diesel::sql_query(
        "DELETE FROM instance_health_changes WHERE id IN (SELECT id FROM instance_health_changes \
         WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT $2)",
    )
    .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}

/// The stored health that is shown, of the row of `instances` in the surrounding statement. Not a join: for a page, the
/// planner may decide to read the whole table.
const STORED: &str = "(SELECT ROW(h.state, h.failing, h.since, h.checked_at) FROM instance_health AS h \
    WHERE h.instance_id = instances.id)";

/// When the watch became stale, or will; and whether it is. Postgres computes them once a statement.
const FRESH_UNTIL: &str = "(SELECT fresh_until FROM health_watch)";
const IS_STALE: &str = "(SELECT fresh_until <= now() FROM health_watch)";

type StoredRecord = Record<(Text, Array<Text>, Timestamptz, Nullable<Timestamptz>)>;

type Columns = (Fixed<Nullable<StoredRecord>>, (Fixed<Timestamptz>, Fixed<Bool>));

/// The columns of [`ToShow`], for a statement on `instances`.
pub(super) fn columns() -> Columns {
    (fixed(STORED), (fixed(FRESH_UNTIL), fixed(IS_STALE)))
}

/// What decides which health of an instance is shown: the stored one, if an app server is active, and the watch.
pub(super) type ToShow =
    (Option<(HealthState, Vec<String>, DateTime<Utc>, Option<DateTime<Utc>>)>, (DateTime<Utc>, bool));

/// The health to show; None: no app server is active. While the watch is stale, it is unknown since then, regardless of
/// the stored state.
pub(super) fn to_show((stored, (fresh_until, is_stale)): ToShow) -> Option<InstanceHealth> {
    let (state, failing, since, checked_at) = stored?;
    if !is_stale {
        return Some(InstanceHealth { state, failing, since, checked_at });
    }
    let since = match state {
        HealthState::Unknown => since.min(fresh_until),
        HealthState::Ok | HealthState::Degraded | HealthState::Down => since.max(fresh_until),
    };
    Some(InstanceHealth { state: HealthState::Unknown, failing: Vec::new(), since, checked_at })
}

/// The health of an instance as it is shown; None: this is not its active app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn shown(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    active: AppServerId,
) -> Result<Option<InstanceHealth>, DbError> {
    let of = instances::table.find(id).filter(instances::active_app_server_id.eq(active));
    Ok(of.select(columns()).first::<ToShow>(conn).await.optional()?.and_then(to_show))
}
