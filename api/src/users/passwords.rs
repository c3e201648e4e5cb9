//! Argon2id, off the async threads: it takes tens of milliseconds and 19 MB on purpose.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// The shortest password that is taken.
pub const MIN_LENGTH: usize = 10;
/// The longest; more would only cost time.
pub const MAX_LENGTH: usize = 1024;

/// A password could not be hashed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(String);

/// Hashes a password for storage.
///
/// # Errors
/// When the system has no randomness or no memory.
pub async fn hash(password: String) -> Result<String, HashError> {
    let work = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
    let hashed = tokio::task::spawn_blocking(work).await.map_err(|error| HashError(error.to_string()))?;
    hashed.map_err(|error| HashError(error.to_string()))
}

/// Whether a password is the one that was hashed. Without a hash it takes as long, so that nobody learns who exists.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let work = move || match hash.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Some(Err(_)) | None => {
            let _ = Argon2::default().hash_password(password.as_bytes());
            false
        }
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(false)
}
