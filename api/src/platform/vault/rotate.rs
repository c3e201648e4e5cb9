//! Encrypts every secret with the first key, while the program runs.

use diesel_async::AsyncConnection;

use super::{Keyring, store};
use crate::platform::db::{Db, DbError};

/// How many secrets are encrypted anew in one transaction.
const BATCH: i64 = 500;

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// How many secrets were encrypted anew.
    pub count: usize,
    /// The key that all have now.
    pub key: String,
    /// Keys that no secret needs any more.
    pub spare: Vec<String>,
}

/// Encrypts every secret that is not of the first key with it, a batch after another, until there is none. Doing it again,
/// also after it was cut short, does the rest.
///
/// # Errors
/// When the database does not answer, or a secret cannot be read; what was done before stays.
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
        // Whoever had not seen the new key yet may have written meanwhile, before where we were.
        if count == before {
            break;
        }
    }
    let needed = store::key_ids(&mut conn).await?;
    let spare = keyring.ids().into_iter().filter(|id| id != key.id() && !needed.contains(id)).collect();
    Ok(Rotated { count, key: key.id().to_owned(), spare })
}
