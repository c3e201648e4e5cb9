//! The table `orphans`, machines as the database knows them, and when they were last compared with the provider.

use chrono::{DateTime, Utc};
use diesel::QueryDsl;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::retention::OrphanKind;
use shared_types::{AppServerId, AppServerStatus, InstanceId, ProviderName, ServerId, ServerStatus};

use crate::platform::db::DbError;
use crate::platform::db::schema::installation;
use crate::platform::db::statuses::{DELETED, RUNNING};

/// A machine and its owner, as the database knows them.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Owned {
    #[diesel(sql_type = BigInt)]
    pub server_id: ServerId,
    /// The provider's id, or the host name while the provider has not given one.
    #[diesel(sql_type = Text)]
    pub provider_id: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub status: ServerStatus,
    /// Whether its provider's id and addresses are known, as is necessary for the status `ready`.
    #[diesel(sql_type = Bool)]
    pub has_address: bool,
    /// Whether its termination was requested.
    #[diesel(sql_type = Bool)]
    pub is_ending: bool,
    /// Whether that was more than ten minutes ago, so that an operator should look.
    #[diesel(sql_type = Bool)]
    pub is_overdue: bool,
    /// The app server that owns it.
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    #[diesel(sql_type = Text)]
    pub app_server_status: AppServerStatus,
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    /// Whether the owner has the instance's traffic.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

/// The machines of a provider that are not terminated, and those with these ids in any status.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn owned(
    conn: &mut AsyncPgConnection,
    provider: &ProviderName,
    ids: &[ServerId],
) -> Result<Vec<Owned>, DbError> {
    Ok(diesel::sql_query(format!(
        "SELECT s.id AS server_id, coalesce(s.provider_id, s.name) AS provider_id, s.name, s.status, \
         s.provider_id IS NOT NULL AND s.ssh_address IS NOT NULL AND s.http_address IS NOT NULL AS has_address, \
         s.termination_requested_at IS NOT NULL AS is_ending, \
         coalesce(s.termination_requested_at < now() - interval '10 minutes', false) AS is_overdue, \
         a.id AS app_server_id, a.status AS app_server_status, a.instance_id, \
         i.active_app_server_id IS NOT DISTINCT FROM a.id AS is_active \
         FROM servers AS s JOIN app_servers AS a ON a.server_id = s.id JOIN instances AS i ON i.id = a.instance_id \
         WHERE s.provider = $1 AND (s.status <> {DELETED} OR s.id = ANY($2))"
    ))
    .bind::<Text, _>(provider)
    .bind::<Array<BigInt>, _>(ids)
    .load(conn)
    .await?)
}

/// A difference that a comparison has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: OrphanKind,
    /// The provider's id of the machine.
    pub provider_id: String,
    /// This program's id, from the machine's metadata.
    pub server_id: ServerId,
}

#[derive(diesel::QueryableByName)]
struct News {
    #[diesel(sql_type = Text)]
    kind: OrphanKind,
    #[diesel(sql_type = Text)]
    provider_id: String,
    #[diesel(sql_type = BigInt)]
    server_id: ServerId,
}

/// Stores a comparison's differences, in a transaction; deletes those that were not found again, except those of
/// servers whose state is unsure. Returns the new ones.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn keep(
    conn: &mut AsyncPgConnection,
    provider: &ProviderName,
    found: &[Difference],
    unsure: &[ServerId],
) -> Result<Vec<Difference>, DbError> {
    let kinds: Vec<&str> = found.iter().map(|one| one.kind.as_str()).collect();
    let names: Vec<&str> = found.iter().map(|one| one.provider_id.as_str()).collect();
    let ids: Vec<ServerId> = found.iter().map(|one| one.server_id).collect();
    let news: Vec<News> = diesel::sql_query(
        "INSERT INTO orphans AS o (kind, provider, provider_id, server_id) \
         SELECT kind, $1, provider_id, server_id FROM unnest($2, $3, $4) AS t (kind, provider_id, server_id) \
         ON CONFLICT (kind, provider, provider_id) DO UPDATE SET last_seen = now(), server_id = excluded.server_id \
         RETURNING o.kind, o.provider_id, o.server_id, o.first_seen = now() AS is_news",
    )
    .bind::<Text, _>(provider)
    .bind::<Array<Text>, _>(kinds)
    .bind::<Array<Text>, _>(names)
    .bind::<Array<BigInt>, _>(ids)
    .load::<(News, IsNews)>(conn)
    .await?
    .into_iter()
    .filter(|(_, IsNews { is_news })| *is_news)
    .map(|(news, _)| news)
    .collect();
    // Rows that were found have this transaction's time.
    diesel::sql_query("DELETE FROM orphans WHERE provider = $1 AND last_seen < now() AND server_id <> ALL($2)")
        .bind::<Text, _>(provider)
        .bind::<Array<BigInt>, _>(unsure)
        .execute(conn)
        .await?;
    let missing: Vec<ServerId> =
        found.iter().filter(|one| one.kind == OrphanKind::Missing).map(|one| one.server_id).collect();
    diesel::sql_query(format!(
        "UPDATE servers SET missing_since = CASE WHEN id = ANY($2) THEN coalesce(missing_since, now()) END \
         WHERE provider = $1 AND status <> {DELETED} AND id <> ALL($3) \
         AND (missing_since IS NOT NULL) <> (id = ANY($2))"
    ))
    .bind::<Text, _>(provider)
    .bind::<Array<BigInt>, _>(missing)
    .bind::<Array<BigInt>, _>(unsure)
    .execute(conn)
    .await?;
    Ok(news
        .into_iter()
        .map(|News { kind, provider_id, server_id }| Difference { kind, provider_id, server_id })
        .collect())
}

#[derive(diesel::QueryableByName)]
struct IsNews {
    #[diesel(sql_type = Bool)]
    is_news: bool,
}

/// Deletes a difference that was settled.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, kind: OrphanKind, id: ServerId) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM orphans WHERE kind = $1 AND server_id = $2")
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Records that provider and database were compared, or why they could not be compared.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn compared(conn: &mut AsyncPgConnection, note: Option<&str>, was_answered: bool) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE installation SET comparison_note = $1, compared_at = CASE WHEN $2 THEN now() ELSE compared_at END",
    )
    .bind::<Nullable<Text>, _>(note)
    .bind::<Bool, _>(was_answered)
    .execute(conn)
    .await?;
    Ok(())
}

/// When they were last compared, and the note of the last attempt.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn last_comparison(conn: &mut AsyncPgConnection) -> Result<(Option<DateTime<Utc>>, Option<String>), DbError> {
    Ok(installation::table.select((installation::compared_at, installation::comparison_note)).first(conn).await?)
}

/// A difference as stored, with its owner.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct OrphanRow {
    #[diesel(sql_type = Text)]
    pub kind: OrphanKind,
    /// The provider of the machine.
    #[diesel(sql_type = Text)]
    pub provider: ProviderName,
    /// The provider's id of the machine.
    #[diesel(sql_type = Text)]
    pub provider_id: String,
    /// This program's id, from the machine's metadata.
    #[diesel(sql_type = BigInt)]
    pub server_id: ServerId,
    /// The app server that owns it, or owned it.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub app_server_id: Option<AppServerId>,
    /// The instance of that app server.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub instance_id: Option<InstanceId>,
    /// Whether the owner has its instance's traffic.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    /// Whether its termination was requested and has not ended.
    #[diesel(sql_type = Bool)]
    pub is_ending: bool,
    /// When it was first found.
    #[diesel(sql_type = Timestamptz)]
    pub first_seen: DateTime<Utc>,
    /// When it was last found.
    #[diesel(sql_type = Timestamptz)]
    pub last_seen: DateTime<Utc>,
    /// From when on the reaper acts on it.
    #[diesel(sql_type = Timestamptz)]
    pub due_at: DateTime<Utc>,
    /// Whether the latest comparison found it, and its due time has passed.
    #[diesel(sql_type = Bool)]
    pub is_due: bool,
}

/// Every difference, the oldest first. A machine without an owner is due after `grace` seconds, a missing one after
/// `twice` seconds.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn list(conn: &mut AsyncPgConnection, grace: f64, twice: f64) -> Result<Vec<OrphanRow>, DbError> {
    Ok(diesel::sql_query(format!(
        "WITH known AS (SELECT *, first_seen + make_interval(secs => \
             CASE kind WHEN 'unowned' THEN $1 ELSE $2 END) AS due_at FROM orphans) \
         SELECT o.kind, o.provider, o.provider_id, o.server_id, a.id AS app_server_id, a.instance_id, \
         coalesce(i.active_app_server_id = a.id, false) AS is_active, \
         coalesce(s.status <> {DELETED} AND s.termination_requested_at IS NOT NULL, false) AS is_ending, \
         o.first_seen, o.last_seen, o.due_at, \
         o.due_at <= o.last_seen AND o.last_seen > now() - interval '1 minute' AS is_due \
         FROM known AS o LEFT JOIN servers AS s ON s.id = o.server_id AND s.provider = o.provider \
         LEFT JOIN app_servers AS a ON a.server_id = s.id LEFT JOIN instances AS i ON i.id = a.instance_id \
         ORDER BY o.first_seen, o.server_id"
    ))
    .bind::<Double, _>(grace)
    .bind::<Double, _>(twice)
    .load(conn)
    .await?)
}

#[derive(diesel::QueryableByName)]
struct Adrift {
    #[diesel(sql_type = BigInt)]
    id: AppServerId,
}

/// App servers with the status running but neither machine nor traffic: their machine was written off.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn adrift(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    let rows: Vec<Adrift> = diesel::sql_query(format!(
        "SELECT a.id FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id \
         JOIN instances AS i ON i.id = a.instance_id WHERE a.status = {RUNNING} AND s.status = {DELETED} \
         AND i.active_app_server_id IS DISTINCT FROM a.id ORDER BY a.id"
    ))
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Adrift { id }| id).collect())
}
