//! The table `orphans`, what the database says of machines, and when it was last compared with the provider.

use chrono::{DateTime, Utc};
use diesel::QueryDsl;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::retention::OrphanKind;
use shared_types::{AppServerId, AppServerStatus, InstanceId, ServerId, ServerStatus};

use crate::platform::db::DbError;
use crate::platform::db::schema::installation;

/// What the database says of a machine.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Owned {
    /// Ours.
    #[diesel(sql_type = BigInt)]
    pub server_id: ServerId,
    /// What the provider calls it, or the host name while it has not said.
    #[diesel(sql_type = Text)]
    pub provider_id: String,
    /// Its host name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Its status.
    #[diesel(sql_type = Text)]
    pub status: ServerStatus,
    /// Whether its end was decided.
    #[diesel(sql_type = Bool)]
    pub is_ending: bool,
    /// Whether that was so long ago that somebody should look.
    #[diesel(sql_type = Bool)]
    pub is_overdue: bool,
    /// Whose.
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    /// The owner's status.
    #[diesel(sql_type = Text)]
    pub app_server_status: AppServerStatus,
    /// The owner's instance.
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    /// Whether the owner has the instance's traffic.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

/// The machines of a provider that are not terminated, and those with these ids whatever they are.
///
/// # Errors
/// When the statement fails.
pub async fn owned(conn: &mut AsyncPgConnection, provider: &str, ids: &[ServerId]) -> Result<Vec<Owned>, DbError> {
    Ok(diesel::sql_query(
        "SELECT s.id AS server_id, coalesce(s.provider_id, s.name) AS provider_id, s.name, s.status, \
         s.termination_requested_at IS NOT NULL AS is_ending, \
         coalesce(s.termination_requested_at < now() - interval '10 minutes', false) AS is_overdue, \
         a.id AS app_server_id, a.status AS app_server_status, a.instance_id, \
         i.active_app_server_id IS NOT DISTINCT FROM a.id AS is_active \
         FROM servers AS s JOIN app_servers AS a ON a.server_id = s.id JOIN instances AS i ON i.id = a.instance_id \
         WHERE s.provider = $1 AND (s.status <> 'terminated' OR s.id = ANY($2))",
    )
    .bind::<Text, _>(provider)
    .bind::<Array<BigInt>, _>(ids)
    .load(conn)
    .await?)
}

/// A difference that a comparison has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which way.
    pub kind: OrphanKind,
    /// What the provider calls the machine.
    pub provider_id: String,
    /// The id in its metadata.
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

/// Keeps what a comparison has found, in a transaction: differences that are no more are forgotten, but for those of
/// servers of which nobody knows. Gives those that were not known before.
///
/// # Errors
/// When a statement fails.
pub async fn keep(
    conn: &mut AsyncPgConnection,
    provider: &str,
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
    // Those found carry this transaction's time.
    diesel::sql_query("DELETE FROM orphans WHERE provider = $1 AND last_seen < now() AND server_id <> ALL($2)")
        .bind::<Text, _>(provider)
        .bind::<Array<BigInt>, _>(unsure)
        .execute(conn)
        .await?;
    let missing: Vec<ServerId> =
        found.iter().filter(|one| one.kind == OrphanKind::Missing).map(|one| one.server_id).collect();
    diesel::sql_query(
        "UPDATE servers SET missing_since = CASE WHEN id = ANY($2) THEN coalesce(missing_since, now()) END \
         WHERE provider = $1 AND status <> 'terminated' AND id <> ALL($3) \
         AND (missing_since IS NOT NULL) <> (id = ANY($2))",
    )
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

/// Forgets a difference that was settled.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, kind: OrphanKind, id: ServerId) -> Result<(), DbError> {
    diesel::sql_query("DELETE FROM orphans WHERE kind = $1 AND server_id = $2")
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes down that provider and database were compared, or that they could not be and why.
///
/// # Errors
/// When the statement fails.
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

/// When that was, and what was odd about the last attempt.
///
/// # Errors
/// When the statement fails.
pub async fn last_comparison(conn: &mut AsyncPgConnection) -> Result<(Option<DateTime<Utc>>, Option<String>), DbError> {
    Ok(installation::table.select((installation::compared_at, installation::comparison_note)).first(conn).await?)
}

/// A difference as it is kept.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct OrphanRow {
    /// Which way.
    #[diesel(sql_type = Text)]
    pub kind: OrphanKind,
    /// Whose machine.
    #[diesel(sql_type = Text)]
    pub provider: String,
    /// What they call it.
    #[diesel(sql_type = Text)]
    pub provider_id: String,
    /// The id in its metadata.
    #[diesel(sql_type = BigInt)]
    pub server_id: ServerId,
    /// Whose it is, or was.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub app_server_id: Option<AppServerId>,
    /// Whether the owner has its instance's traffic.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
    /// Whether its end was decided and has not come.
    #[diesel(sql_type = Bool)]
    pub is_ending: bool,
    /// When it was first found.
    #[diesel(sql_type = Timestamptz)]
    pub first_seen: DateTime<Utc>,
    /// When it was last found.
    #[diesel(sql_type = Timestamptz)]
    pub last_seen: DateTime<Utc>,
    /// From when on something is done.
    #[diesel(sql_type = Timestamptz)]
    pub due_at: DateTime<Utc>,
    /// Whether it was found by the comparison that was just made, and its time has come.
    #[diesel(sql_type = Bool)]
    pub is_due: bool,
}

/// Every difference, the oldest first. A machine that nobody owns is due after `grace` seconds, one that is missing after
/// `twice` seconds.
///
/// # Errors
/// When the statement fails.
pub async fn list(conn: &mut AsyncPgConnection, grace: f64, twice: f64) -> Result<Vec<OrphanRow>, DbError> {
    Ok(diesel::sql_query(
        "WITH known AS (SELECT *, first_seen + make_interval(secs => \
             CASE kind WHEN 'unowned' THEN $1 ELSE $2 END) AS due_at FROM orphans) \
         SELECT o.kind, o.provider, o.provider_id, o.server_id, a.id AS app_server_id, \
         coalesce(i.active_app_server_id = a.id, false) AS is_active, \
         coalesce(s.status <> 'terminated' AND s.termination_requested_at IS NOT NULL, false) AS is_ending, \
         o.first_seen, o.last_seen, o.due_at, \
         o.due_at <= o.last_seen AND o.last_seen > now() - interval '1 minute' AS is_due \
         FROM known AS o LEFT JOIN servers AS s ON s.id = o.server_id AND s.provider = o.provider \
         LEFT JOIN app_servers AS a ON a.server_id = s.id LEFT JOIN instances AS i ON i.id = a.instance_id \
         ORDER BY o.first_seen, o.server_id",
    )
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

/// App servers that are said to run and have neither machine nor traffic: theirs was written off.
///
/// # Errors
/// When the statement fails.
pub async fn adrift(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    let rows: Vec<Adrift> = diesel::sql_query(
        "SELECT a.id FROM app_servers AS a JOIN servers AS s ON s.id = a.server_id \
         JOIN instances AS i ON i.id = a.instance_id WHERE a.status = 'running' AND s.status = 'terminated' \
         AND i.active_app_server_id IS DISTINCT FROM a.id ORDER BY a.id",
    )
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Adrift { id }| id).collect())
}
