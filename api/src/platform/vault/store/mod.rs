//! The table `secrets`: encrypted secrets by id.

pub mod owned;
mod sealed;

use diesel::sql_types::{Array, BigInt, Binary, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{InstanceId, SourceCredentialId};

use crate::platform::db::DbError;
use crate::platform::db::schema::secrets;

pub use sealed::Sealed;

/// The columns of a row that are needed to decrypt it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = secrets)]
pub struct SecretRow {
    /// The secret's id, which is authenticated with the ciphertext.
    pub id: String,
    /// The id of the key that encrypted the secret.
    pub key_id: String,
    /// The nonce followed by the ciphertext.
    pub sealed: Vec<u8>,
}

/// A row to insert; has the same columns.
pub type NewSecret = SecretRow;

type Columns = (Vec<String>, Vec<String>, Vec<Vec<u8>>);

fn columns(rows: &[SecretRow]) -> Columns {
    let ids = rows.iter().map(|row| row.id.clone()).collect();
    let keys = rows.iter().map(|row| row.key_id.clone()).collect();
    (ids, keys, rows.iter().map(|row| row.sealed.clone()).collect())
}

/// Stores secrets of an instance.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, of: InstanceId, rows: &[NewSecret]) -> Result<(), DbError> {
    let (ids, keys, sealed) = columns(rows);
    diesel::sql_query(
        "INSERT INTO secrets (id, key_id, sealed, instance_id) \
         SELECT new.*, $4 FROM unnest($1, $2, $3) AS new (id, key_id, sealed)",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Binary>, _>(sealed)
    .bind::<BigInt, _>(of.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores the secret of a source credential, which has one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert_for_source(
    conn: &mut AsyncPgConnection,
    of: SourceCredentialId,
    row: &NewSecret,
) -> Result<(), DbError> {
    diesel::insert_into(secrets::table)
        .values((
            secrets::id.eq(&row.id),
            secrets::key_id.eq(&row.key_id),
            secrets::sealed.eq(&row.sealed),
            secrets::source_credential_id.eq(of.0),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The secret of a source credential; none if it was deleted.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find_for_source(
    conn: &mut AsyncPgConnection,
    of: SourceCredentialId,
) -> Result<Option<SecretRow>, DbError> {
    let row = secrets::table.filter(secrets::source_credential_id.eq(of.0)).select(SecretRow::as_select());
    Ok(row.first(conn).await.optional()?)
}

/// The secrets with these ids; missing ones are left out.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, ids: &[&str]) -> Result<Vec<SecretRow>, DbError> {
    Ok(secrets::table.filter(secrets::id.eq_any(ids)).select(SecretRow::as_select()).load(conn).await?)
}

/// Deletes secrets.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, ids: &[&str]) -> Result<(), DbError> {
    diesel::delete(secrets::table.filter(secrets::id.eq_any(ids))).execute(conn).await?;
    Ok(())
}

/// The ids of all keys that stored secrets use.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn key_ids(conn: &mut AsyncPgConnection) -> Result<Vec<String>, DbError> {
    Ok(secrets::table.select(secrets::key_id).distinct().order(secrets::key_id).load(conn).await?)
}

/// One secret of each key.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn one_of_each_key(conn: &mut AsyncPgConnection) -> Result<Vec<SecretRow>, DbError> {
    Ok(secrets::table
        .distinct_on(secrets::key_id)
        .order((secrets::key_id, secrets::id))
        .select(SecretRow::as_select())
        .load(conn)
        .await?)
}

/// At most `limit` secrets that use another key than this one, after this id; locked until the transaction ends.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn not_of_key(
    conn: &mut AsyncPgConnection,
    key: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<SecretRow>, DbError> {
    Ok(secrets::table
        .filter(secrets::key_id.ne(key))
        .filter(secrets::id.gt(after))
        .order(secrets::id)
        .limit(limit)
        .select(SecretRow::as_select())
        .for_update()
        .load(conn)
        .await?)
}

/// Replaces the ciphertexts and key ids of existing secrets.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn replace(conn: &mut AsyncPgConnection, rows: &[SecretRow]) -> Result<(), DbError> {
    let (ids, keys, sealed) = columns(rows);
    diesel::sql_query(
        "UPDATE secrets SET key_id = new.key_id, sealed = new.sealed \
         FROM unnest($1, $2, $3) AS new (id, key_id, sealed) WHERE secrets.id = new.id",
    )
    .bind::<Array<Text>, _>(ids)
    .bind::<Array<Text>, _>(keys)
    .bind::<Array<Binary>, _>(sealed)
    .execute(conn)
    .await?;
    Ok(())
}
