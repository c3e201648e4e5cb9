//! Passwords of accounts: in the vault, as the only entry of a document.

use diesel_async::AsyncPgConnection;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use shared_types::settings::Schema;

use crate::platform::db::DbError;
use crate::platform::vault::{self, Keyring, Sealed, Secrets};

/// The entry of the document; a secret by its name.
const PASSWORD: &str = "password";
/// The document has no YAML.
const SCHEMA: Schema = Schema { fields: &[] };

/// The document for an account with this password, and the secrets to store in the same transaction.
///
/// # Errors
/// [`DbError::Corrupt`] if the keys cannot be read.
pub fn seal(keyring: &Keyring, password: &SecretString) -> Result<(Sealed, Secrets), DbError> {
    let ([sealed], secrets) = vault::seal(keyring, &SCHEMA, [&json!({ PASSWORD: password.expose_secret() })])?;
    Ok((sealed, secrets))
}

/// The document of what has no password.
///
/// # Errors
/// [`DbError::Corrupt`] if the keys cannot be read.
pub fn none(keyring: &Keyring) -> Result<Sealed, DbError> {
    let ([sealed], _) = vault::seal(keyring, &SCHEMA, [&json!({})])?;
    Ok(sealed)
}

/// The password in an account's document.
///
/// # Errors
/// [`DbError`] if it has none, or the statement fails; [`DbError::Replaced`] if it was replaced meanwhile.
pub async fn open(keyring: &Keyring, conn: &mut AsyncPgConnection, document: &Sealed) -> Result<SecretString, DbError> {
    let [opened] = vault::open(keyring, conn, [document]).await?;
    let password = opened.get(PASSWORD).and_then(Value::as_str);
    let missing = || DbError::Corrupt("an account of an instance has no password".to_owned());
    password.map(|password| password.to_owned().into()).ok_or_else(missing)
}
