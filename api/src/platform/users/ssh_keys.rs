//! The public SSH keys of the caller. A key that is added or deleted reaches the machines by a sweep: see
//! `instances/access`.

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::ssh_access::{MAX_SSH_KEYS, NewSshKey, SshKey};
use shared_types::{FieldError, SshKeyId};

use super::Principal;
use super::accounts::AccountError;
use super::store::{accounts, ssh_keys};
use crate::platform::audit;
use crate::platform::db::Db;
use crate::platform::public_key::PublicKey;

/// The most characters of a key's name.
const MAX_NAME: usize = 100;

/// Adds a public key of the caller.
///
/// # Errors
/// [`AccountError::Invalid`] names the field: the key is not accepted, a user has it already, or the caller has 20 keys.
pub async fn add(db: &Db, who: &Principal, new: NewSshKey) -> Result<SshKey, AccountError> {
    let refuse = |field, words: String| AccountError::Invalid(FieldError::new(field, words));
    let NewSshKey { name, public_key } = new;
    let (public, comment) = PublicKey::parse(&public_key).map_err(|words| refuse("public_key", words))?;
    let given = name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let derived = || Some(comment.as_str()).filter(|comment| !comment.is_empty()).unwrap_or(public.algorithm());
    let name: String = match given {
        Some(name) if name.chars().count() > MAX_NAME || name.contains(char::is_control) => {
            return Err(refuse("name", format!("Must have {MAX_NAME} characters at most, and no control characters.")));
        }
        Some(name) => name.to_owned(),
        None => derived().chars().take(MAX_NAME).collect(),
    };
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        // Concurrent requests wait for each other, so that all are counted.
        accounts::lock(conn, who.user_id).await?;
        let own = ssh_keys::of(conn, who.user_id).await?;
        if let Some(same) = own.iter().find(|own| own.fingerprint == public.fingerprint()) {
            return Err(refuse("public_key", format!("You have this key already: it is “{}”.", same.name)));
        }
        if own.len() >= MAX_SSH_KEYS {
            let words = format!("You have {MAX_SSH_KEYS} keys, and may not have more; delete one that is not needed.");
            return Err(refuse("public_key", words));
        }
        let Some(key) = ssh_keys::insert(conn, who.user_id, (&name, &comment), &public).await? else {
            let words = "Another user has this key. A key must belong to one person: make a new pair with `ssh-keygen -t ed25519`.";
            return Err(refuse("public_key", words.to_owned()));
        };
        let detail = json!({ "ssh_key": key.id, "name": key.name, "fingerprint": key.fingerprint });
        audit::record(conn, audit::Entry::new(&who.actor, Operation::AddSshKey).detail(detail)).await?;
        Ok(key)
    })
    .await
}

/// Deletes a public key of the caller. False: they have no such key.
///
/// # Errors
/// [`AccountError::Db`] if a statement fails.
pub async fn delete(db: &Db, who: &Principal, id: SshKeyId) -> Result<bool, AccountError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let Some(gone) = ssh_keys::delete(conn, who.user_id, id).await? else { return Ok(false) };
        let detail = json!({ "ssh_key": id, "name": gone.name, "fingerprint": gone.fingerprint });
        audit::record(conn, audit::Entry::new(&who.actor, Operation::DeleteSshKey).detail(detail)).await?;
        Ok(true)
    })
    .await
}
