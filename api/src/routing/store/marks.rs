//! Marks what else gateways are to have as changed: the answers to certificate authorities, and the certificates. Both are in
//! tables of their own; the revision is that of the routes.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel::{OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::table;
use crate::platform::db::DbError;
use crate::platform::db::schema::gateway_revision;

#[derive(QueryableByName)]
struct Marked {
    #[diesel(sql_type = BigInt)]
    revision: i64,
}

/// Marks the answers as changed. The caller holds [`table::lock`].
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn challenges(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::sql_query("UPDATE gateway_revision SET revision = revision + 1, challenges = revision + 1")
        .execute(conn)
        .await?;
    table::notify(conn).await
}

/// The revision that has the answers as they are now.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn revision_of_challenges(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(gateway_revision::table.select(gateway_revision::challenges).first(conn).await?)
}

/// Marks the certificates as changed, if `digest` differs from the one that was marked last. Returns the revision that has
/// them; none: it does not differ. The caller holds [`table::lock`].
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn certificates(conn: &mut AsyncPgConnection, digest: &str) -> Result<Option<i64>, DbError> {
    let marked = diesel::sql_query(
        "UPDATE gateway_revision SET revision = revision + 1, certificates = revision + 1, certificates_digest = $1 \
         WHERE certificates_digest <> $1 RETURNING revision",
    )
    .bind::<Text, _>(digest)
    .get_result::<Marked>(conn)
    .await
    .optional()?;
    if marked.is_some() {
        table::notify(conn).await?;
    }
    Ok(marked.map(|marked| marked.revision))
}
