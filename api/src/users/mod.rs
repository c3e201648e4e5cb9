//! People and tokens: who they are and what they may do. Passwords are Argon2id; sessions and tokens are 256 random bits of
//! which only the SHA-256 is stored.

pub mod login;
pub mod passwords;
mod secret;
pub mod store;

pub use secret::{Secret, hash as secret_hash};

use shared_types::{Role, UserId};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user behind it.
    pub user_id: UserId,
    /// Their name, with the token's where one is used; as the audit log says it.
    pub name: String,
    /// The user's name alone.
    pub username: String,
    /// What they may do: the user's role, or the token's where that is less.
    pub role: Role,
    /// Whether it came by a cookie, which a browser sends unasked.
    pub is_session: bool,
}
