//! The routes that every gateway is to have, numbered by revisions. A change needs the lock, so that
//! revisions appear in their order.

use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text};
use diesel::{ExpressionMethods, QueryDsl, Queryable, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::gateway::{GatewayPreview, GatewayRoute};
use shared_types::https::HttpsPolicy;

use super::LIVE_SECONDS;
use crate::platform::db::DbError;
use crate::platform::db::schema::{gateway_revision, gateway_routes};
use crate::platform::events::bus;
use crate::routing::traffic::{Preview, Route};

/// The routes of a gateway that has an earlier revision, or none.
#[derive(Debug, Clone)]
pub struct News {
    /// The revision that it then has.
    pub revision: i64,
    /// Whether these are all routes.
    pub is_whole: bool,
    /// The changed routes, or all.
    pub routes: Vec<GatewayRoute>,
    /// Whether the answers to certificate authorities differ.
    pub has_challenges: bool,
    /// Whether the certificates to serve differ.
    pub has_certificates: bool,
}

#[derive(Queryable)]
struct Row {
    hostname: String,
    target: Option<String>,
    notice: Option<String>,
    scheme: String,
    https: HttpsPolicy,
    is_gone: bool,
    previews: Value,
}

impl Row {
    fn route(self) -> Result<GatewayRoute, DbError> {
        let Self { hostname, target, notice, scheme, https, is_gone, previews } = self;
        let previews = serde_json::from_value(previews)
            .map_err(|error| DbError::Corrupt(format!("the preview links of {hostname}: {error}")))?;
        Ok(GatewayRoute { hostname, target, notice, scheme, https, is_gone, previews })
    }
}

/// Locks the routes until the transaction ends. What the routes are made from must be read after that.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let row = gateway_revision::table.select(gateway_revision::revision).for_update();
    row.first::<i64>(conn).await?;
    Ok(())
}

/// Sets these routes and keeps the others. The caller holds the lock. Returns the revision that has them.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn set(conn: &mut AsyncPgConnection, routes: &[Route]) -> Result<i64, DbError> {
    if write(conn, routes).await? > 0 {
        next_revision(conn).await?;
    }
    let names: Vec<&str> = routes.iter().map(|route| route.hostname.as_str()).collect();
    let newest = gateway_routes::table.filter(gateway_routes::hostname.eq_any(names));
    let newest: Option<i64> = newest.select(diesel::dsl::max(gateway_routes::revision)).first(conn).await?;
    Ok(newest.unwrap_or_default())
}

/// Makes these the only routes. The caller holds the lock. Returns the revision that has them.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn replace_all(conn: &mut AsyncPgConnection, routes: &[Route]) -> Result<i64, DbError> {
    let names: Vec<&str> = routes.iter().map(|route| route.hostname.as_str()).collect();
    let removed = diesel::sql_query(
        "UPDATE gateway_routes SET is_gone = true, target = NULL, notice = NULL, previews = '[]', \
             revision = (SELECT revision + 1 FROM gateway_revision) \
         WHERE NOT is_gone AND NOT EXISTS (SELECT 1 FROM unnest($1) AS kept (hostname) \
             WHERE kept.hostname = gateway_routes.hostname)",
    )
    .bind::<Array<Text>, _>(names)
    .execute(conn)
    .await?;
    if write(conn, routes).await? + removed > 0 {
        next_revision(conn).await?;
    }
    forget(conn).await?;
    Ok(gateway_revision::table.select(gateway_revision::revision).first(conn).await?)
}

/// What a gateway with the revision `since` has not got; none if it has all.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn news(conn: &mut AsyncPgConnection, since: i64) -> Result<Option<News>, DbError> {
    let columns = (
        gateway_revision::revision,
        gateway_revision::forgets,
        gateway_revision::challenges,
        gateway_revision::certificates,
    );
    let (revision, forgets, challenges, certificates): (i64, i64, i64, i64) =
        gateway_revision::table.select(columns).first(conn).await?;
    if since == revision {
        return Ok(None);
    }
    // A revision from the future: the database was restored from a backup.
    let is_whole = since == 0 || since < forgets || since > revision;
    let routes = gateway_routes::table.into_boxed();
    let routes = match is_whole {
        true => routes.filter(gateway_routes::is_gone.eq(false)),
        false => routes.filter(gateway_routes::revision.gt(since)),
    };
    let columns = (
        gateway_routes::hostname,
        gateway_routes::target,
        gateway_routes::notice,
        gateway_routes::scheme,
        gateway_routes::https,
        gateway_routes::is_gone,
        gateway_routes::previews,
    );
    let rows: Vec<Row> = routes.select(columns).load(conn).await?;
    let routes = rows.into_iter().map(Row::route).collect::<Result<_, _>>()?;
    Ok(Some(News {
        revision,
        is_whole,
        routes,
        has_challenges: is_whole || challenges > since,
        has_certificates: is_whole || certificates > since,
    }))
}

/// Writes the routes that differ, with the next revision. Returns their number.
async fn write(conn: &mut AsyncPgConnection, routes: &[Route]) -> Result<usize, DbError> {
    let names: Vec<&str> = routes.iter().map(|route| route.hostname.as_str()).collect();
    let targets: Vec<Option<String>> =
        routes.iter().map(|route| route.target.map(|target| target.to_string())).collect();
    let notices: Vec<Option<&str>> = routes.iter().map(|route| route.notice.as_deref()).collect();
    let schemes: Vec<&str> = routes.iter().map(|route| route.scheme.as_str()).collect();
    let policies: Vec<&str> = routes.iter().map(|route| route.https.as_str()).collect();
    let previews: Vec<Value> = routes.iter().map(|route| previews(&route.previews)).collect();
    let written = diesel::sql_query(
        "INSERT INTO gateway_routes (hostname, target, notice, scheme, https, previews, revision) \
         SELECT wanted.*, gateway_revision.revision + 1 FROM gateway_revision, \
             unnest($1, $2, $3, $4, $5, $6) AS wanted (hostname, target, notice, scheme, https, previews) \
             LEFT JOIN gateway_routes AS present USING (hostname) \
         WHERE (present.target, present.notice, present.scheme, present.https, present.previews, present.is_gone) \
             IS DISTINCT FROM \
             (wanted.target, wanted.notice, wanted.scheme, wanted.https, wanted.previews, false) \
         ON CONFLICT (hostname) DO UPDATE SET target = excluded.target, notice = excluded.notice, \
             scheme = excluded.scheme, https = excluded.https, previews = excluded.previews, is_gone = false, \
             revision = excluded.revision",
    )
    .bind::<Array<Text>, _>(names)
    .bind::<Array<Nullable<Text>>, _>(targets)
    .bind::<Array<Nullable<Text>>, _>(notices)
    .bind::<Array<Text>, _>(schemes)
    .bind::<Array<Text>, _>(policies)
    .bind::<Array<Jsonb>, _>(previews)
    .execute(conn)
    .await?;
    Ok(written)
}

/// The links as they are stored and sent to the agents.
fn previews(previews: &[Preview]) -> Value {
    let told = previews.iter().map(|Preview { hash, target, ends_at, domain }| GatewayPreview {
        hash: hash.clone(),
        target: target.to_string(),
        ends_at: *ends_at,
        domain: domain.clone(),
    });
    told.map(|told| serde_json::json!(told)).collect()
}

async fn next_revision(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::update(gateway_revision::table)
        .set(gateway_revision::revision.eq(gateway_revision::revision + 1))
        .execute(conn)
        .await?;
    notify(conn).await
}

/// Wakes the agents that wait.
pub(super) async fn notify(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_notify($1, '')").bind::<Text, _>(bus::GATEWAYS).execute(conn).await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Forgotten {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Deletes the rows of removed hosts that every live gateway knows of.
async fn forget(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    let forgotten: Vec<Forgotten> = diesel::sql_query(
        "DELETE FROM gateway_routes WHERE is_gone AND revision <= coalesce((SELECT min(revision) FROM gateways \
             WHERE seen > now() - make_interval(secs => $1)), 9223372036854775807) RETURNING revision",
    )
    .bind::<Double, _>(LIVE_SECONDS)
    .load(conn)
    .await?;
    if let Some(newest) = forgotten.iter().map(|row| row.revision).max() {
        diesel::update(gateway_revision::table)
            .filter(gateway_revision::forgets.lt(newest))
            .set(gateway_revision::forgets.eq(newest))
            .execute(conn)
            .await?;
    }
    Ok(())
}
