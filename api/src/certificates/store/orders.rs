//! The table `acme_orders`, and how an order ends.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::CertificateId;

use super::shortened;
use crate::platform::db::DbError;
use crate::platform::db::schema::acme_orders;

/// A row of `acme_orders`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = acme_orders)]
pub struct OrderRow {
    pub id: i64,
    pub account_id: i64,
    pub names: Vec<String>,
    /// None: the authority has not answered, or its answer was lost.
    pub url: Option<String>,
    pub created: DateTime<Utc>,
}

/// How an order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Issued,
    Failed,
    Abandoned,
}

impl Ending {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// An order to be stored, before the authority is asked.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = acme_orders)]
pub struct NewOrder {
    pub account_id: i64,
    pub certificate_id: CertificateId,
    pub names: Vec<String>,
    pub domains: Vec<String>,
    pub is_renewal: bool,
}

/// The order of a certificate that is under way.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn open(conn: &mut AsyncPgConnection, of: CertificateId) -> Result<Option<OrderRow>, DbError> {
    Ok(acme_orders::table
        .filter(acme_orders::certificate_id.eq(of.0))
        .filter(acme_orders::state.eq("open"))
        .select(OrderRow::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// Stores an order.
///
/// # Errors
/// [`DbError`] when the statement fails, also if the certificate has an open one.
pub async fn insert(conn: &mut AsyncPgConnection, new: &NewOrder) -> Result<OrderRow, DbError> {
    let stored = diesel::insert_into(acme_orders::table).values(new).returning(OrderRow::as_returning());
    Ok(stored.get_result(conn).await?)
}

/// Stores the URL that the authority gave an order.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_url(conn: &mut AsyncPgConnection, id: i64, url: &str) -> Result<(), DbError> {
    diesel::update(acme_orders::table.find(id)).set(acme_orders::url.eq(url)).execute(conn).await?;
    Ok(())
}

/// Ends an open order. The caller deletes or hands over its key. False: it has ended before.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn end(
    conn: &mut AsyncPgConnection,
    id: i64,
    ending: Ending,
    trouble: Option<&str>,
) -> Result<bool, DbError> {
    let ended = diesel::update(acme_orders::table.find(id))
        .filter(acme_orders::state.eq("open"))
        .set((
            acme_orders::state.eq(ending.as_str()),
            acme_orders::trouble.eq(trouble.map(shortened)),
            acme_orders::ended.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// Records failed validations.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn record_failures(conn: &mut AsyncPgConnection, account: i64, hostnames: &[String]) -> Result<(), DbError> {
    diesel::sql_query("INSERT INTO acme_failures (account_id, hostname) SELECT $1, unnest($2)")
        .bind::<BigInt, _>(account)
        .bind::<Array<Text>, _>(hostnames)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends orders that are open for a day, because their certificate is not wanted any more; deletes keys of orders that have
/// ended, and orders and failures that no limit counts any more.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn forget_old(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE acme_orders SET state = 'abandoned', ended = now() WHERE state = 'open' AND created < now() - interval '1 day'",
    )
    .execute(conn)
    .await?;
    diesel::sql_query(
        "DELETE FROM secrets USING acme_orders WHERE acme_order_id = acme_orders.id AND acme_orders.state <> 'open'",
    )
    .execute(conn)
    .await?;
    diesel::sql_query("DELETE FROM acme_orders WHERE state <> 'open' AND ended < now() - interval '30 days'")
        .execute(conn)
        .await?;
    diesel::sql_query("DELETE FROM acme_failures WHERE failed_at < now() - interval '30 days'").execute(conn).await?;
    Ok(())
}
