//! Secrets at rest. The JSON documents of other tables name each secret by its id; the table `secrets` holds it, encrypted.
//!
//! A document as it is stored is [`Sealed`]: nothing can use it before it is opened, or is content with its secrets hidden.
//! Not here: what is a secret, which `shared_types::secret` says, and where the keys come from.

mod document;
mod keyring;
mod made;
mod rotate;
pub mod store;

use std::collections::HashMap;

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::InstanceId;
use shared_types::settings::Schema;

use crate::platform::db::DbError;

pub use keyring::{Keyring, generate, letters, parse};
pub use made::{rsa_private_key, uuid};
pub use rotate::{Rotated, rotate};
pub use store::Sealed;

/// Why a secret cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// What should be a key is none. Its words never hold the key.
    #[error("{0}")]
    NoKey(String),
    /// The file of keys cannot be read.
    #[error("the keys of secrets cannot be read from {0}")]
    File(String),
    /// The system gives no random bits, or the cipher refuses.
    #[error("a secret cannot be encrypted: {0}")]
    Broken(String),
    /// It is encrypted with a key that is not here.
    #[error("secret {secret} is encrypted with key «{key}», which this program has not; add that key")]
    UnknownKey {
        /// Whose key is missing.
        secret: String,
        /// What the key is called.
        key: String,
    },
    /// What is stored is not what was encrypted under this id, or not with this key.
    #[error(
        "secret {secret} is not what was encrypted with key «{key}»: the row was changed, or the key is another one"
    )]
    Changed {
        /// Which one.
        secret: String,
        /// The key that the row names.
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

/// Takes the secrets out of documents that are to be stored. The secrets are to be stored with [`keep`], in the transaction
/// that stores the documents. `schema` is that of the application whose settings they hold: it says which texts are YAML.
///
/// # Errors
/// When the keys cannot be had.
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

/// Stores the secrets of an instance, or of an app server of it. One statement; none when there are none.
///
/// # Errors
/// When the statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, instance: InstanceId, secrets: Secrets) -> Result<(), DbError> {
    let Secrets(rows) = secrets;
    if rows.is_empty() { Ok(()) } else { store::insert(conn, instance, &rows).await }
}

/// Documents with their secrets. One statement for all; none when they name no secret.
///
/// # Errors
/// When the statement fails or a secret cannot be read; [`DbError::Replaced`] when one is not there any more. Never
/// anything wrong.
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

/// Deletes the secrets of a document that is no longer stored. One statement; none when it names no secret.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection, document: &Sealed) -> Result<(), DbError> {
    let ids = document::named(&document.0);
    if ids.is_empty() { Ok(()) } else { store::delete(conn, &ids).await }
}
