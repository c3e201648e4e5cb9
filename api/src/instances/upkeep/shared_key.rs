//! Removes the SSH key that the machines of earlier versions share, once the last of them has ended. New machines have keys
//! of their own (`machines/key.rs`).

use std::io::ErrorKind;

use crate::instances::Manager;
use crate::machines;
use crate::platform::db::DbError;

/// Removes both files of the key if no machine needs it. No query if there is none.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let private = &manager.options.shared_key;
    if !private.exists() || machines::store::is_key_shared(&mut *manager.db.conn().await?).await? {
        return Ok(());
    }
    for path in [&private.with_extension("pub"), private] {
        match tokio::fs::remove_file(path).await {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "the shared SSH key, which no machine needs, was not removed");
                return Ok(());
            }
            Ok(()) | Err(_) => {}
        }
    }
    tracing::info!(path = %private.display(), "the shared SSH key was removed: every machine has its own");
    Ok(())
}
