//! The SSH key pair of a machine. Each machine has its own, made at its launch and kept in the vault.
//!
//! Machines of earlier versions share one key pair, which is a file of the data directory.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared_types::settings::Schema;

use crate::platform::db::DbError;
use crate::platform::vault::{self, Keyring, Sealed, Secrets, VaultError};

/// The comment of every key that this program makes.
const COMMENT: &str = "ocim";
/// Name of the private key in a document; [`shared_types::secret`] takes it for a secret.
const PRIVATE: &str = "private_key";
/// Name of the public key in a document.
const PUBLIC: &str = "public_key";
/// A document of a key pair holds no YAML.
const SCHEMA: Schema = Schema { fields: &[] };

/// A key pair that may log in to a machine.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// In OpenSSH's format.
    private: SecretString,
    /// One line of `authorized_keys`.
    public: String,
}

impl KeyPair {
    /// A new key pair (Ed25519).
    ///
    /// # Errors
    /// [`VaultError::Broken`] if the system gives no random bits.
    pub fn generate() -> Result<Self, VaultError> {
        let (private, public) = vault::ssh_key_pair(COMMENT)?;
        Ok(Self { private: private.into(), public })
    }

    /// The key pair in this file and the `.pub` beside it, which `ssh-keygen` of an earlier version wrote.
    ///
    /// # Errors
    /// [`std::io::Error`] if one cannot be read.
    pub async fn of_file(path: &Path) -> std::io::Result<Self> {
        let private = tokio::fs::read_to_string(path).await?.into();
        let public = tokio::fs::read_to_string(path.with_extension("pub")).await?;
        Ok(Self { private, public: public.trim().to_owned() })
    }

    /// The private key, in OpenSSH's format.
    pub fn private(&self) -> &SecretString {
        &self.private
    }

    /// The public key, as one line of `authorized_keys`.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The public key in Base64, without its algorithm and its comment.
    pub fn public_data(&self) -> &str {
        self.public.split_whitespace().nth(1).unwrap_or_default()
    }

    /// The document to seal and store. Seal it at once: it holds the private key.
    pub fn document(&self) -> Value {
        json!({ PRIVATE: self.private.expose_secret(), PUBLIC: self.public })
    }

    /// The sealed document, with the secret to store in the same transaction.
    ///
    /// # Errors
    /// [`DbError`] if the keys of secrets cannot be read.
    pub fn seal(&self, keyring: &Keyring) -> Result<(Sealed, Secrets), DbError> {
        let ([document], secrets) = vault::seal(keyring, &SCHEMA, [&self.document()])?;
        Ok((document, secrets))
    }

    /// The key pair in an opened document.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] if the document is no key pair's.
    pub fn of_document(document: &Value) -> Result<Self, DbError> {
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        match (text(PRIVATE), text(PUBLIC)) {
            (Some(private), Some(public)) => Ok(Self { private: private.into(), public: public.to_owned() }),
            _ => Err(DbError::Corrupt("a machine's SSH key is no key pair".to_owned())),
        }
    }
}

/// The public key of a sealed key pair. No query: it is no secret.
///
/// # Errors
/// [`DbError::Corrupt`] if the document is no key pair's.
pub fn public_of(document: &Sealed) -> Result<String, DbError> {
    Ok(KeyPair::of_document(&document.hidden())?.public)
}
