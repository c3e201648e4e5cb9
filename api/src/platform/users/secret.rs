//! Random secrets, and their hashes for storage.

use sha2::{Digest, Sha256};

/// 256 random bits, as text for a cookie or a header.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// Makes a new random secret.
    ///
    /// # Errors
    /// An error if the operating system provides no random numbers.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bits = [0u8; 32];
        getrandom::fill(&mut bits)?;
        Ok(Self(hex::encode(bits)))
    }

    /// The secret as text; give it only to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the secret, for storage.
    pub fn hash(&self) -> Vec<u8> {
        hash(&self.0)
    }
}

/// The SHA-256 of a secret, for storage.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
