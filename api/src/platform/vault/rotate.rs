//! Encrypts every secret with the first key, while the program runs.

use diesel_async::AsyncConnection;

use super::{Keyring, store};
use crate::platform::db::{Db, DbError};

/// How many secrets are encrypted again in one transaction.
const BATCH: i64 = 500;

/// The result of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// How many secrets were encrypted again.
    pub count: usize,
    /// The id of the key that all secrets use now.
    pub key: String,
    /// The ids of keys that no secret uses any more.
    pub spare: Vec<String>,
}

/// Encrypts every secret that uses another key with the first key, in batches, until none is left. Idempotent; after an
/// interruption it continues with the rest.
///
/// # Errors
/// [`DbError`] if the database does not answer, or a secret cannot be decrypted; earlier batches stay done.
pub async fn rotate(db: &Db, keyring: &Keyring) -> Result<Rotated, DbError> {
    let mut conn = db.conn().await?;
    let key = keyring.first()?;
    let mut count = 0;
    loop {
        let mut after = String::new();
        let before = count;
        loop {
            let (key, from) = (&key, &after);
            let done = conn
                .transaction(async |conn| {
                    let rows = store::not_of_key(conn, key.id(), from, BATCH).await?;
                    let mut anew = Vec::with_capacity(rows.len());
                    for row in rows {
                        anew.push(key.encrypt_as(row.id.clone(), &keyring.decrypt(&row)?)?);
                    }
                    if !anew.is_empty() {
                        store::replace(conn, &anew).await?;
                    }
                    Ok::<_, DbError>(anew)
                })
                .await?;
            let Some(last) = done.last() else { break };
            count += done.len();
            after.clone_from(&last.id);
        }
        // A process that had not read the new key yet may have written secrets behind the current position, so repeat.
        if count == before {
            break;
        }
    }
    let needed = store::key_ids(&mut conn).await?;
    let spare = keyring.ids().into_iter().filter(|id| id != key.id() && !needed.contains(id)).collect();
    Ok(Rotated { count, key: key.id().to_owned(), spare })
}

/// Decrypts one secret of each key. A key with the right id and another content is found, too.
///
/// # Errors
/// [`DbError`] if the database does not answer, or a secret cannot be decrypted.
pub async fn try_keys(db: &Db, keyring: &Keyring) -> Result<(), DbError> {
    for row in store::one_of_each_key(&mut *db.conn().await?).await? {
        keyring.decrypt(&row)?;
    }
    Ok(())
}
