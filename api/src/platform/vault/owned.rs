//! Single secrets that a row of another table owns, and that end with it.

use diesel_async::AsyncPgConnection;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use shared_types::CertificateId;

use super::store::owned as store;
use super::{Keyring, VaultError};
use crate::platform::db::DbError;

/// The row that owns a secret; each has at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A row of `acme_accounts`: the credentials of the account.
    AcmeAccount(i64),
    /// A row of `acme_orders`: the key of the certificate that is ordered.
    AcmeOrder(i64),
    /// The key of a certificate.
    Certificate(CertificateId),
}

/// Encrypts and stores the secret of a row, in place of one that it has. Two statements.
///
/// # Errors
/// [`DbError`] if the keys cannot be read or a statement fails.
pub async fn keep_owned(
    keyring: &Keyring,
    conn: &mut AsyncPgConnection,
    owner: Owner,
    secret: &SecretString,
) -> Result<(), DbError> {
    let row = keyring.first()?.encrypt(&Value::from(secret.expose_secret()))?;
    store::delete(conn, owner).await?;
    store::insert(conn, owner, &row).await
}

/// The secret of a row; none if it has none. One statement.
///
/// # Errors
/// [`DbError`] if the statement fails or the secret cannot be decrypted.
pub async fn open_owned(
    keyring: &Keyring,
    conn: &mut AsyncPgConnection,
    owner: Owner,
) -> Result<Option<SecretString>, DbError> {
    let Some(row) = store::find(conn, owner).await? else { return Ok(None) };
    let id = row.id.clone();
    let secret = keyring.decrypt(&row)?;
    let no_text = || VaultError::Broken(format!("secret {id} is no text"));
    Ok(Some(secret.as_str().ok_or_else(no_text)?.to_owned().into()))
}

/// Deletes the secret of a row, if it has one. One statement.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget_owned(conn: &mut AsyncPgConnection, owner: Owner) -> Result<(), DbError> {
    store::delete(conn, owner).await
}

/// Gives the secret of one row to another one, in place of one that this has. Two statements.
///
/// # Errors
/// [`DbError`] if a statement fails; [`DbError::Replaced`] if the first row has no secret.
pub async fn hand_over(conn: &mut AsyncPgConnection, from: Owner, to: Owner) -> Result<(), DbError> {
    store::delete(conn, to).await?;
    match store::hand_over(conn, from, to).await? {
        1 => Ok(()),
        _ => Err(DbError::Replaced(format!("of {from:?}"))),
    }
}
