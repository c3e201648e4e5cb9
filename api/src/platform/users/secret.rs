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

/// The kind of cookie that carries secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A cookie without a prefix, which any host of the same domain can set, too.
    Plain,
    /// A cookie with the prefix `__Host-`: browsers take it only over TLS, and only from this host.
    Host,
}

impl Carrier {
    /// The prefix of the cookie's name.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Host => "__Host-",
        }
    }

    /// The SHA-256 of a secret in such a cookie, for storage. It differs by kind: a secret that was given out in one is
    /// worth nothing in the other, so that no other host can plant a session of its own.
    pub fn hash(self, secret: &str) -> Vec<u8> {
        hash(&format!("{}{secret}", self.prefix()))
    }
}

/// The SHA-256 of a secret, for storage.
pub fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
