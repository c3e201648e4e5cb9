//! People and tokens: who they are and what they may do. Passwords are Argon2id; sessions and tokens are 256 random bits of
//! which only the SHA-256 is stored.

pub mod accounts;
pub mod login;
pub mod own;
pub mod passwords;
mod secret;
pub mod sign_in;
pub mod store;

pub use secret::{Secret, hash as secret_hash};

use chrono::{DateTime, Utc};
use shared_types::user::Scope;
use shared_types::{Role, SessionId, TokenId, UserId};

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
    /// What they came with.
    pub credential: Credential,
    /// When that stops working.
    pub expires: DateTime<Utc>,
}

/// What somebody came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A cookie, which a browser sends unasked.
    Session(SessionId),
    /// An API token, which is for these things only.
    Token(TokenId, Vec<Scope>),
}

impl Principal {
    /// Whether it is a person at a browser.
    pub fn is_session(&self) -> bool {
        matches!(self.credential, Credential::Session(_))
    }

    /// The token that was used.
    pub fn token(&self) -> Option<TokenId> {
        match &self.credential {
            Credential::Session(_) => None,
            Credential::Token(id, _) => Some(*id),
        }
    }

    /// Whether they came with a token that is not for this.
    pub fn lacks(&self, scope: Scope) -> bool {
        match &self.credential {
            Credential::Session(_) => false,
            // Who may do something may look.
            Credential::Token(_, scopes) => scope != Scope::Read && !scopes.contains(&scope),
        }
    }
}
