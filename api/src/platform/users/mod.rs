//! Users, sessions and API tokens: authentication and roles. Passwords are hashed with Argon2id; sessions and tokens
//! are 256 random bits of which only the SHA-256 is stored.

pub mod accounts;
mod attempts;
pub mod credentials;
pub mod login;
pub mod own;
pub mod passwords;
mod secret;
pub mod sign_in;
pub mod ssh_keys;
pub mod store;
mod turns;

pub use secret::{Carrier, Secret, hash as secret_hash};

use crate::platform::origin::Actor;
use chrono::{DateTime, Utc};
use shared_types::user::Scope;
use shared_types::{Role, SessionId, TokenId, UserId};

/// The authenticated caller of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The user, or the owner of the token.
    pub user_id: UserId,
    /// The user, or the token that is used.
    pub actor: Actor,
    /// The user's name alone.
    pub username: String,
    /// The effective role: the user's, or the token's if that is lower.
    pub role: Role,
    /// The session or token that authenticated the request.
    pub credential: Credential,
    /// When the session or token expires.
    pub expires: DateTime<Utc>,
}

/// How a caller authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A session cookie, which the browser sends by itself.
    Session(SessionId),
    /// An API token, limited to these scopes.
    Token(TokenId, Vec<Scope>),
}

impl Principal {
    /// Whether the caller is a user in a browser, rather than a script with a token.
    pub fn is_session(&self) -> bool {
        matches!(self.credential, Credential::Session(_))
    }

    /// The session of the request; none for a token.
    pub fn session(&self) -> Option<SessionId> {
        match &self.credential {
            Credential::Session(id) => Some(*id),
            Credential::Token(..) => None,
        }
    }

    /// The token that was used; none for a session.
    pub fn token(&self) -> Option<TokenId> {
        match &self.credential {
            Credential::Session(_) => None,
            Credential::Token(id, _) => Some(*id),
        }
    }

    /// Whether the caller's token lacks this scope. A session lacks none.
    pub fn lacks(&self, scope: Scope) -> bool {
        match &self.credential {
            Credential::Session(_) => false,
            // Every scope includes reading.
            Credential::Token(_, scopes) => scope != Scope::Read && !scopes.contains(&scope),
        }
    }
}
