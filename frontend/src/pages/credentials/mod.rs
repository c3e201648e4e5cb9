//! What a user signs in with: sessions, API tokens and SSH keys. A user sees their own, an administrator anyone's.

mod browser;
mod new_token;
mod sessions;
mod ssh_keys;
mod tokens;

use shared_types::UserId;
use shared_types::user::Account;

pub use sessions::SessionsCard;
pub use ssh_keys::SshKeysCard;
pub use tokens::TokensCard;

/// Whose sessions and tokens are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Those of the signed-in user, on the account page.
    Me,
    /// Those of a user, for administrators.
    User {
        /// The user's id.
        id: UserId,
        /// The user's name.
        name: String,
        /// Whether it is the signed-in user.
        is_own: bool,
    },
}

impl Holder {
    /// A user, as administrators see them. `me`: the signed-in user.
    pub fn of(user: &Account, me: Option<UserId>) -> Self {
        Self::User { id: user.id, name: user.username.clone(), is_own: me == Some(user.id) }
    }
}
