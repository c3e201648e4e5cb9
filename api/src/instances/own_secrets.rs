//! An instance's own secrets: generated with the instance, the same for all its app servers.

use serde_json::{Map, Value, json};
use shared_types::yaml::typed;

use super::application::{Application, SecretKind};
use crate::platform::db::DbError;
use crate::platform::vault;

/// The entry of the document that holds all of them: all values below it are sealed, under any name.
const SECRETS: &str = "secrets";

/// The secrets of a new instance, as a document to seal; an empty one if the application has none.
///
/// # Errors
/// [`DbError::Corrupt`] when the system gives no random bits.
pub(super) fn make(application: &dyn Application) -> Result<Value, DbError> {
    let specs = application.secrets();
    if specs.is_empty() {
        return Ok(json!({}));
    }
    let made = specs.iter().map(|spec| match spec.kind {
        SecretKind::Letters(length) => Ok((spec.name.to_owned(), Value::String(vault::letters(length)?))),
        SecretKind::Uuid => Ok((spec.name.to_owned(), Value::String(vault::uuid()?))),
        SecretKind::Rsa(bits) => Ok((spec.name.to_owned(), Value::String(vault::rsa_private_key(bits)?))),
    });
    let made: Map<String, Value> = made.collect::<Result<_, DbError>>()?;
    Ok(json!({ SECRETS: made }))
}

/// The secrets of an opened document, by name. Each is marked as a secret, so that it stays masked under any name that
/// the application gives it in the variables.
pub(super) fn of(document: &Value) -> Map<String, Value> {
    let secrets = document.get(SECRETS).and_then(Value::as_object);
    secrets.into_iter().flatten().map(|(name, secret)| (name.clone(), typed::marked(secret.clone()))).collect()
}
