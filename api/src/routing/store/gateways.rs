//! The gateways: their tokens, and what their agents say.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Bytea, Double, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::gateway::{Gateway, GatewayReport, GatewayState, Gateways};

use super::LIVE_SECONDS;
use crate::platform::db::DbError;
use crate::platform::db::schema::{gateway_revision, gateways};

/// A gateway, and how it stands.
#[derive(Debug, Clone, QueryableByName)]
pub struct GatewayRow {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub hostname: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub version: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub seen: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub revision: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub created_by: String,
    /// Whether its agent has asked lately.
    #[diesel(sql_type = Bool)]
    pub is_live: bool,
}

impl GatewayRow {
    /// How it stands when the routes have this revision.
    pub fn state(&self, wanted: i64) -> GatewayState {
        match () {
            () if self.seen.is_none() => GatewayState::New,
            () if !self.is_live => GatewayState::Silent,
            () if self.error.is_some() => GatewayState::Failing,
            () if self.revision < wanted => GatewayState::Late,
            () => GatewayState::Ready,
        }
    }
}

/// All gateways, by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn all(conn: &mut AsyncPgConnection) -> Result<Vec<GatewayRow>, DbError> {
    let rows = diesel::sql_query(
        "SELECT name, hostname, version, seen, revision, error, created, created_by, \
             coalesce(seen > now() - make_interval(secs => $1), false) AS is_live FROM gateways ORDER BY name",
    )
    .bind::<Double, _>(LIVE_SECONDS)
    .load(conn)
    .await?;
    Ok(rows)
}

/// All gateways as operators see them.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn list(conn: &mut AsyncPgConnection) -> Result<Gateways, DbError> {
    let revision = gateway_revision::table.select(gateway_revision::revision).first(conn).await?;
    let gateway = |row: GatewayRow| Gateway {
        state: row.state(revision),
        name: row.name,
        hostname: row.hostname,
        version: row.version,
        seen_at: row.seen,
        revision: row.revision,
        error: row.error,
        created_at: row.created,
        created_by: row.created_by,
    };
    Ok(Gateways { revision, items: all(conn).await?.into_iter().map(gateway).collect() })
}

/// Adds a gateway whose token has this hash. False: there is one of this name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn add(conn: &mut AsyncPgConnection, name: &str, hash: &[u8], by: &str) -> Result<bool, DbError> {
    let row = (gateways::name.eq(name), gateways::token_hash.eq(hash), gateways::created_by.eq(by));
    let added = diesel::insert_into(gateways::table).values(row).on_conflict(gateways::name).do_nothing();
    Ok(added.execute(conn).await? > 0)
}

/// Gives a gateway another token. False: there is none of this name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn set_token(conn: &mut AsyncPgConnection, name: &str, hash: &[u8]) -> Result<bool, DbError> {
    let changed = diesel::update(gateways::table.filter(gateways::name.eq(name)));
    Ok(changed.set(gateways::token_hash.eq(hash)).execute(conn).await? > 0)
}

/// Removes a gateway and its token. False: there is none of this name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection, name: &str) -> Result<bool, DbError> {
    Ok(diesel::delete(gateways::table.filter(gateways::name.eq(name))).execute(conn).await? > 0)
}

/// The gateway whose token has this hash.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn by_token(conn: &mut AsyncPgConnection, hash: &[u8]) -> Result<Option<i64>, DbError> {
    let row = gateways::table.filter(gateways::token_hash.eq(hash)).select(gateways::id);
    Ok(row.first(conn).await.optional()?)
}

#[derive(QueryableByName)]
struct Revision {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Keeps what an agent says. Returns the revision that its gateway certainly has; none: another agent, which is live, has
/// the gateway's token, too. An agent that names a revision it was not sent has none: it gets all routes.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn hear(conn: &mut AsyncPgConnection, hash: &[u8], report: &GatewayReport) -> Result<Option<i64>, DbError> {
    let heard = diesel::sql_query(
        "UPDATE gateways SET agent = $2, hostname = $3, version = $4, seen = now(), error = $6, \
             revision = CASE WHEN agent = $2 AND $5 IN (revision, sent_revision) THEN $5 ELSE 0 END \
         WHERE token_hash = $1 AND (agent IS NULL OR agent = $2 OR seen < now() - make_interval(secs => $7)) \
         RETURNING revision",
    )
    .bind::<Bytea, _>(hash)
    .bind::<Text, _>(&report.agent)
    .bind::<Text, _>(&report.hostname)
    .bind::<Text, _>(&report.version)
    .bind::<BigInt, _>(report.revision)
    .bind::<Nullable<Text>, _>(report.error.as_deref())
    .bind::<Double, _>(LIVE_SECONDS)
    .get_result::<Revision>(conn)
    .await
    .optional()?;
    Ok(heard.map(|heard| heard.revision))
}

/// Records that the routes of this revision are sent to a gateway.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_sent(conn: &mut AsyncPgConnection, id: i64, revision: i64) -> Result<(), DbError> {
    diesel::update(gateways::table.find(id)).set(gateways::sent_revision.eq(revision)).execute(conn).await?;
    Ok(())
}
