//! What the limits of an authority count.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::super::limits::{Counted, Limit, Limits, Use};
use super::super::names::registered_domains;
use crate::platform::db::DbError;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Nullable<Text>)]
    what: Option<String>,
    #[diesel(sql_type = BigInt)]
    used: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    frees: Option<DateTime<Utc>>,
}

/// Keeps other workers from ordering with this account until the transaction ends, so that two do not take the last one of a
/// limit.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, account: i64) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('acme_orders', $1))")
        .bind::<BigInt, _>(account)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether this account was given a certificate with exactly these names before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_renewal(conn: &mut AsyncPgConnection, account: i64, names: &[String]) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Found {
        #[diesel(sql_type = Bool)]
        found: bool,
    }
    let Found { found } = diesel::sql_query(
        "SELECT EXISTS (SELECT FROM acme_orders WHERE account_id = $1 AND names = $2 AND state = 'issued') \
            OR EXISTS (SELECT FROM certificates JOIN acme_accounts ON directory = origin \
                WHERE acme_accounts.id = $1 AND names = $2 AND source = 'acme') AS found",
    )
    .bind::<BigInt, _>(account)
    .bind::<Array<Text>, _>(names)
    .get_result(conn)
    .await?;
    Ok(found)
}

/// How much of each limit is used that an order with these names counts against.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn uses(
    conn: &mut AsyncPgConnection,
    limits: &Limits,
    account: i64,
    names: &[String],
    is_renewal: bool,
) -> Result<Vec<Use>, DbError> {
    let mut uses = Vec::new();
    if let Some(limit) = limits.domain.filter(|_| !is_renewal) {
        let source = "SELECT domain AS what, created AS moment FROM acme_orders, unnest(domains) AS domain \
            WHERE account_id = $1 AND domain = ANY ($2) AND NOT is_renewal AND state IN ('issued', 'open')";
        uses.extend(count(conn, source, account, &registered_domains(names), limit, Counted::Domain).await?);
    }
    if let Some(limit) = limits.orders {
        let source =
            "SELECT NULL::text AS what, created AS moment FROM acme_orders WHERE account_id = $1 AND $2 IS NOT NULL";
        uses.extend(count(conn, source, account, names, limit, |_| Counted::Orders).await?);
    }
    if let Some(limit) = limits.same_names {
        let source = "SELECT NULL::text AS what, ended AS moment FROM acme_orders \
            WHERE account_id = $1 AND names = $2 AND state = 'issued'";
        uses.extend(count(conn, source, account, names, limit, |_| Counted::SameNames).await?);
    }
    if let Some(limit) = limits.failures {
        let source = "SELECT hostname AS what, failed_at AS moment FROM acme_failures \
            WHERE account_id = $1 AND hostname = ANY ($2)";
        let hosts: Vec<_> = names.iter().map(|name| name.trim_start_matches("*.").to_owned()).collect();
        uses.extend(count(conn, source, account, &hosts, limit, Counted::Failures).await?);
    }
    Ok(uses)
}

/// Counts rows of `source` within the period: all of them, and the time of the one that frees the next place.
async fn count(
    conn: &mut AsyncPgConnection,
    source: &str,
    account: i64,
    of: &[String],
    limit: Limit,
    counted: impl Fn(String) -> Counted,
) -> Result<Vec<Use>, DbError> {
    let since: DateTime<Utc> = Utc::now().checked_sub_signed(limit.period).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let rows: Vec<Count> = diesel::sql_query(format!(
        "SELECT what, count(*) AS used, (array_agg(moment ORDER BY moment DESC))[$4::int] AS frees FROM ({source}) AS rows \
         WHERE moment > $3 GROUP BY what"
    ))
    .bind::<BigInt, _>(account)
    .bind::<Array<Text>, _>(of)
    .bind::<Timestamptz, _>(since)
    .bind::<BigInt, _>(limit.most)
    .load(conn)
    .await?;
    let one = |Count { what, used, frees }| Use { counted: counted(what.unwrap_or_default()), limit, used, frees };
    Ok(rows.into_iter().map(one).collect())
}
