//! Passwords: their strength, measured by the time to guess them and not by their kinds of characters, and their hashes
//! (Argon2id), which are computed off the async threads: each takes tens of milliseconds and 19 MB on purpose.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use zxcvbn::Score;

/// The shortest password that is accepted, in characters.
pub const MIN_LENGTH: usize = 10;
/// The longest password that is accepted, in characters; a limit on the time to hash it.
pub const MAX_LENGTH: usize = 1024;
/// Words that an attacker would try first for this application.
const OURS: [&str; 2] = ["ocim", "opencraft"];

/// How many passwords are hashed at once. More would take too much memory and not finish sooner.
static HASHING: Semaphore = Semaphore::const_new(4);

/// A password could not be hashed; the hasher's message.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}")]
pub struct HashError(String);

/// Why a new password is refused.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too weak; says why, and what would be better.
    #[error("{0}")]
    Weak(String),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
}

/// Checks that a password is strong enough for this user.
///
/// # Errors
/// Says why not and what would be better, in words for the user.
pub fn check(password: &str, username: &str) -> Result<(), String> {
    let length = password.chars().count();
    if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
        return Err(format!("It has {length} characters; it needs {MIN_LENGTH} to {MAX_LENGTH}."));
    }
    let [ocim, opencraft] = OURS;
    let found = zxcvbn::zxcvbn(password, &[username, ocim, opencraft]);
    if found.score() >= Score::Three {
        return Ok(());
    }
    let mut words = "It is too easy to guess.".to_owned();
    let feedback = found.feedback();
    if let Some(warning) = feedback.and_then(zxcvbn::feedback::Feedback::warning) {
        words.push_str(&format!(" {warning}"));
    }
    match feedback.map(zxcvbn::feedback::Feedback::suggestions).unwrap_or_default() {
        [] => words.push_str(" Use a few words that do not belong together."),
        suggestions => suggestions.iter().for_each(|suggestion| words.push_str(&format!(" {suggestion}"))),
    }
    Err(words)
}

/// Hashes a new password, if it is strong enough for this user.
///
/// # Errors
/// [`PasswordError::Weak`], or [`PasswordError::Hash`] if it cannot be hashed.
pub async fn hash_new(password: String, username: &str) -> Result<String, PasswordError> {
    let username = username.to_owned();
    let checking = tokio::task::spawn_blocking(move || check(&password, &username).map(|()| password));
    let checked = checking.await.map_err(|error| HashError(error.to_string()))?;
    Ok(hash(checked.map_err(PasswordError::Weak)?).await?)
}

/// Hashes a password for storage.
///
/// # Errors
/// [`HashError`] if the system has no random numbers or no memory.
pub async fn hash(password: String) -> Result<String, HashError> {
    let _turn = HASHING.acquire().await.map_err(|error| HashError(error.to_string()))?;
    let work = move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string());
    let hashed = tokio::task::spawn_blocking(work).await.map_err(|error| HashError(error.to_string()))?;
    hashed.map_err(|error| HashError(error.to_string()))
}

/// Checks a password against a hash. Without a hash it takes as long, so that response times do not reveal who exists.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let Ok(_turn) = HASHING.acquire().await else {
        return false;
    };
    let work = move || match hash.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Some(Err(_)) | None => {
            let _ = Argon2::default().hash_password(password.as_bytes());
            false
        }
    };
    tokio::task::spawn_blocking(work).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Why a password is refused; empty if it is accepted.
    fn words(password: &str) -> String {
        check(password, "ada").err().unwrap_or_default()
    }

    #[test]
    fn strong_passwords_of_any_characters_are_accepted() {
        for good in
            ["correct horse battery staple", "correct horse battery staple 7", "kq7-vz3p-m2xw", "żółw pływa nocą"]
        {
            assert_eq!(check(good, "ada"), Ok(()), "{good}");
        }
        assert_eq!(words(&"a1-".repeat(400)), "It has 1200 characters; it needs 10 to 1024.");
        assert_eq!(words("kq7-vz3p"), "It has 8 characters; it needs 10 to 1024.");
    }

    #[test]
    fn what_is_weak_is_refused_with_why_and_what_would_be_better() {
        assert_eq!(
            words("password123"),
            "It is too easy to guess. This is a very common password. Add another word or two. Uncommon words are better."
        );
        assert!(words("Passw0rd!!").starts_with("It is too easy to guess. This is"), "{}", words("Passw0rd!!"));
        assert!(words("aaaaaaaaaaaaaaaa").contains("Avoid repeated words"), "{}", words("aaaaaaaaaaaaaaaa"));
        for ours in ["opencraft2026", "ocim-opencraft", "ocimocimocim", "ada.lovelace1815", "Ada.Lovelace!"] {
            assert!(check(ours, "ada.lovelace").is_err(), "{ours}");
        }
        // Another user's password may contain that name.
        assert!(check("grmblfx.wertzu", "grmblfx.wertzu").is_err());
        assert_eq!(check("grmblfx.wertzu", "ada"), Ok(()));
    }
}
