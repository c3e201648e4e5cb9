//! Questions to gateways for the open requests at an app server.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::gateway::{GatewayCount, GatewayQuestion};

use super::{LIVE_SECONDS, table};
use crate::platform::db::DbError;

/// How long a question waits for an answer, in seconds; then the drain's next look asks again.
const PATIENCE_SECONDS: f64 = 10.0;

/// A live gateway's answer.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Counted {
    #[diesel(sql_type = Text)]
    pub gateway: String,
    /// None: it has not answered this question yet.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub requests: Option<i64>,
}

#[derive(QueryableByName)]
struct Asked {
    #[diesel(sql_type = Timestamptz)]
    asked: DateTime<Utc>,
}

/// Asks all live gateways. Returns when, to compare answers with; none: no gateway is live.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn ask(conn: &mut AsyncPgConnection, target: &str) -> Result<Option<DateTime<Utc>>, DbError> {
    let asked: Vec<Asked> = diesel::sql_query(
        "WITH old AS (DELETE FROM gateway_counts WHERE asked < now() - interval '1 hour' AND target <> $1) \
         INSERT INTO gateway_counts (gateway_id, target, asked) SELECT id, $1, now() FROM gateways \
             WHERE seen > now() - make_interval(secs => $2) \
         ON CONFLICT (gateway_id, target) DO UPDATE SET asked = greatest(gateway_counts.asked, excluded.asked) \
         RETURNING asked",
    )
    .bind::<Text, _>(target)
    .bind::<Double, _>(LIVE_SECONDS)
    .load(conn)
    .await?;
    table::notify(conn).await?;
    Ok(asked.into_iter().map(|row| row.asked).min())
}

/// The answers of the live gateways since then.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn answers(
    conn: &mut AsyncPgConnection,
    target: &str,
    since: DateTime<Utc>,
) -> Result<Vec<Counted>, DbError> {
    let rows = diesel::sql_query(
        "SELECT gateways.name AS gateway, CASE WHEN counts.counted >= $2 THEN counts.requests END AS requests \
         FROM gateways LEFT JOIN gateway_counts AS counts \
             ON counts.gateway_id = gateways.id AND counts.target = $1 \
         WHERE gateways.seen > now() - make_interval(secs => $3) ORDER BY gateways.name",
    )
    .bind::<Text, _>(target)
    .bind::<Timestamptz, _>(since)
    .bind::<Double, _>(LIVE_SECONDS)
    .load(conn)
    .await?;
    Ok(rows)
}

#[derive(QueryableByName)]
struct Question {
    #[diesel(sql_type = Text)]
    target: String,
    #[diesel(sql_type = Timestamptz)]
    asked: DateTime<Utc>,
}

/// What a gateway has not answered yet.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn open(conn: &mut AsyncPgConnection, gateway_id: i64) -> Result<Vec<GatewayQuestion>, DbError> {
    let rows: Vec<Question> = diesel::sql_query(
        "SELECT target, asked FROM gateway_counts WHERE gateway_id = $1 AND (counted IS NULL OR counted < asked) \
         AND asked > now() - make_interval(secs => $2) ORDER BY asked, target",
    )
    .bind::<BigInt, _>(gateway_id)
    .bind::<Double, _>(PATIENCE_SECONDS)
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|Question { target, asked }| GatewayQuestion { target, asked }).collect())
}

/// Keeps a gateway's answers. An answer to a question that nothing asked is ignored.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, gateway_id: i64, counts: &[GatewayCount]) -> Result<(), DbError> {
    if counts.is_empty() {
        return Ok(());
    }
    let targets: Vec<&str> = counts.iter().map(|count| count.question.target.as_str()).collect();
    let asked: Vec<DateTime<Utc>> = counts.iter().map(|count| count.question.asked).collect();
    let requests: Vec<i64> = counts.iter().map(|count| count.requests).collect();
    diesel::sql_query(
        "UPDATE gateway_counts SET counted = told.asked, requests = told.requests \
         FROM unnest($2, $3, $4) AS told (target, asked, requests) \
         WHERE gateway_id = $1 AND gateway_counts.target = told.target",
    )
    .bind::<BigInt, _>(gateway_id)
    .bind::<Array<Text>, _>(targets)
    .bind::<Array<Timestamptz>, _>(asked)
    .bind::<Array<BigInt>, _>(requests)
    .execute(conn)
    .await?;
    Ok(())
}
