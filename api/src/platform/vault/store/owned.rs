//! The table `secrets`: secrets that a row of another table owns.

use diesel::OptionalExtension;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::super::owned::Owner;
use super::{NewSecret, SecretRow};
use crate::platform::db::DbError;

impl Owner {
    /// The column that names the owner, and its id.
    const fn column(self) -> (&'static str, i64) {
        match self {
            Self::AcmeAccount(id) => ("acme_account_id", id),
            Self::AcmeOrder(id) => ("acme_order_id", id),
            Self::Certificate(id) => ("certificate_id", id.0),
        }
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    key_id: String,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
}

/// Stores the secret of a row, which has none.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, owner: Owner, row: &NewSecret) -> Result<(), DbError> {
    let (column, id) = owner.column();
    diesel::sql_query(format!("INSERT INTO secrets (id, key_id, sealed, {column}) VALUES ($1, $2, $3, $4)"))
        .bind::<Text, _>(&row.id)
        .bind::<Text, _>(&row.key_id)
        .bind::<Binary, _>(&row.sealed)
        .bind::<BigInt, _>(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The secret of a row.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, owner: Owner) -> Result<Option<SecretRow>, DbError> {
    let (column, id) = owner.column();
    let found: Option<Found> = diesel::sql_query(format!("SELECT id, key_id, sealed FROM secrets WHERE {column} = $1"))
        .bind::<BigInt, _>(id)
        .get_result(conn)
        .await
        .optional()?;
    Ok(found.map(|Found { id, key_id, sealed }| SecretRow { id, key_id, sealed }))
}

/// Deletes the secret of a row, if it has one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, owner: Owner) -> Result<(), DbError> {
    let (column, id) = owner.column();
    let query = diesel::sql_query(format!("DELETE FROM secrets WHERE {column} = $1")).bind::<BigInt, _>(id);
    query.execute(conn).await?;
    Ok(())
}

/// Gives the secret of one row to another one, which has none; returns how many were given.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn hand_over(conn: &mut AsyncPgConnection, from: Owner, to: Owner) -> Result<usize, DbError> {
    let ((from, old), (to, new)) = (from.column(), to.column());
    let statement = format!("UPDATE secrets SET {from} = NULL, {to} = $2 WHERE {from} = $1");
    let query = diesel::sql_query(statement).bind::<BigInt, _>(old).bind::<BigInt, _>(new);
    Ok(query.execute(conn).await?)
}
