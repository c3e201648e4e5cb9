//! Secrets at rest. JSON documents of other tables reference secrets by id; the table `secrets` holds them, encrypted.
//!
//! A stored document is [`Sealed`]: it can be used only after [`open`], or with its secrets masked. Not here: what
//! counts as a secret (`shared_types::secret`), and where the keys come from.

mod document;
mod keyring;
mod made;
mod owned;
mod rotate;
pub mod store;

use std::collections::HashMap;

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::settings::Schema;
use shared_types::{InstanceId, SourceCredentialId};

use crate::platform::db::DbError;

pub use keyring::{Keyring, generate, letters, parse};
pub use made::{rsa_private_key, ssh_key_pair, uuid};
pub use owned::{Owner, forget_owned, hand_over, keep_owned, open_owned};
pub use rotate::{Rotated, rotate, try_keys};
pub use store::Sealed;

/// Why a secret cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// A key is invalid or missing. The text never contains the key.
    #[error("{0}")]
    NoKey(String),
    /// The file of keys cannot be read; its path and the error.
    #[error("the keys of secrets cannot be read from {0}")]
    File(String),
    /// The system provides no random bits, or the cipher fails.
    #[error("a secret cannot be encrypted: {0}")]
    Broken(String),
    /// The secret is encrypted with a key that is not configured.
    #[error("secret {secret} is encrypted with key «{key}», which this program has not; add that key")]
    UnknownKey {
        /// The secret's id.
        secret: String,
        /// The missing key's id.
        key: String,
    },
    /// Authentication failed: the row was changed, or the key differs from the one that encrypted it.
    #[error(
        "secret {secret} is not what was encrypted with key «{key}»: the row was changed, or the key is another one"
    )]
    Changed {
        /// The secret's id.
        secret: String,
        /// The id of the key that the row names.
        key: String,
    },
}

impl From<VaultError> for DbError {
    fn from(error: VaultError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// Encrypted secrets that belong to documents and are not stored yet.
#[derive(Debug)]
#[must_use = "without their secrets, documents cannot be opened"]
pub struct Secrets(Vec<store::NewSecret>);

/// Takes the secrets out of documents for storing. Store them with [`keep`], in the transaction that stores the
/// documents. `schema` is that of the application whose settings the documents hold: it says which texts are YAML.
///
/// # Errors
/// [`VaultError`] if the keys cannot be read.
pub fn seal<const N: usize>(
    keyring: &Keyring,
    schema: &Schema,
    documents: [&Value; N],
) -> Result<([Sealed; N], Secrets), DbError> {
    let key = keyring.first()?;
    let (mut rows, mut failed) = (Vec::new(), None);
    let mut take = |secret: &Value| match key.encrypt(secret) {
        Ok(row) => {
            let id = row.id.clone();
            rows.push(row);
            id
        }
        Err(error) => {
            failed = Some(error);
            String::new()
        }
    };
    let sealed = documents.map(|document| Sealed(document::take_out(schema, document, &mut take)));
    match failed {
        Some(error) => Err(error.into()),
        None => Ok((sealed, Secrets(rows))),
    }
}

/// Stores the secrets of an instance, or of an app server of it. At most one statement.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, instance: InstanceId, secrets: Secrets) -> Result<(), DbError> {
    let Secrets(rows) = secrets;
    if rows.is_empty() { Ok(()) } else { store::insert(conn, instance, &rows).await }
}

/// Encrypts and stores the secret of a source credential. One statement.
///
/// # Errors
/// [`DbError`] if the keys cannot be read or the statement fails.
pub async fn keep_for_source(
    keyring: &Keyring,
    conn: &mut AsyncPgConnection,
    of: SourceCredentialId,
    secret: &str,
) -> Result<(), DbError> {
    let row = keyring.first()?.encrypt(&Value::from(secret))?;
    store::insert_for_source(conn, of, &row).await
}

/// The secret of a source credential; none if it was deleted. One statement.
///
/// # Errors
/// [`DbError`] if the statement fails or the secret cannot be decrypted.
pub async fn open_for_source(
    keyring: &Keyring,
    conn: &mut AsyncPgConnection,
    of: SourceCredentialId,
) -> Result<Option<String>, DbError> {
    let Some(row) = store::find_for_source(conn, of).await? else { return Ok(None) };
    Ok(keyring.decrypt(&row)?.as_str().map(str::to_owned))
}

/// Puts the secrets back into documents. One statement for all; none if the documents reference no secrets.
///
/// # Errors
/// [`DbError`] if the statement fails or a secret cannot be decrypted; [`DbError::Replaced`] if one no longer exists.
/// Never returns a wrong value.
pub async fn open<const N: usize>(
    keyring: &Keyring,
    conn: &mut AsyncPgConnection,
    documents: [&Sealed; N],
) -> Result<[Value; N], DbError> {
    let mut ids: Vec<&str> = documents.iter().flat_map(|document| document::named(&document.0)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut secrets = HashMap::new();
    if !ids.is_empty() {
        for row in store::find(conn, &ids).await? {
            let secret = keyring.decrypt(&row)?;
            secrets.insert(row.id, secret);
        }
    }
    if let Some(missing) = ids.iter().find(|id| !secrets.contains_key(**id)) {
        return Err(DbError::Replaced((*missing).to_owned()));
    }
    Ok(documents.map(|document| document::put_back(&document.0, &|id| secrets.get(id).cloned().unwrap_or_default())))
}

/// Deletes the secrets of a document that is no longer stored. At most one statement.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, document: &Sealed) -> Result<(), DbError> {
    let ids = document::named(&document.0);
    if ids.is_empty() { Ok(()) } else { store::delete(conn, &ids).await }
}
