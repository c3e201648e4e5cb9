//! Users, their roles, sessions and tokens: who may do what.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::Possible;
use crate::ids::{SessionId, TokenId, UserId};

/// What a person or token may do; each includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads, with secrets masked.
    Viewer,
    /// Also creates, launches and activates.
    Operator,
    /// Also manages users and the system.
    Admin,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: &[Self] = &[Self::Viewer, Self::Operator, Self::Admin];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Whether this role allows what needs the role `needed`.
    pub fn may(self, needed: Self) -> Possible {
        if self >= needed {
            return Possible::Yes;
        }
        match needed {
            Self::Viewer => Possible::No("This needs the role viewer."),
            Self::Operator => Possible::No("This needs the role operator."),
            Self::Admin => Possible::No("This needs the role admin."),
        }
    }
}

/// What an API token may be used for, within its role. Every scope includes reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Reads, and changes nothing.
    Read,
    /// Creates and changes instances, launches, stops and terminates app servers.
    Deploy,
    /// Activates, rolls back, sets and lifts holds.
    Activate,
    /// Manages users and the system.
    Admin,
}

impl Scope {
    /// Every scope, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Read, Self::Deploy, Self::Activate, Self::Admin];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Activate => "activate",
            Self::Admin => "admin",
        }
    }

    /// The role that a token needs for this scope, too.
    pub const fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Deploy | Self::Activate => Role::Operator,
            Self::Admin => Role::Admin,
        }
    }
}

/// The user who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The id; it is never used again.
    pub id: UserId,
    /// The name to sign in with.
    #[schema(example = "admin")]
    pub username: String,
    /// What the user may do.
    pub role: Role,
}

/// The body of a sign-in request.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name to sign in with.
    #[schema(max_length = 150, example = "admin")]
    pub username: String,
    /// The password, in clear.
    #[schema(max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A user, as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// The id; it is never used again.
    pub id: UserId,
    /// The name to sign in with.
    #[schema(example = "ada")]
    pub username: String,
    /// What the user may do.
    pub role: Role,
    /// Whether the user is disabled, so that sign-in is refused.
    pub is_disabled: bool,
    /// Whether the user has a password; without one, sign-in is only possible at a provider.
    pub has_password: bool,
    /// When the user was created.
    pub created: DateTime<Utc>,
    /// When the user last signed in; null if never.
    pub last_login: Option<DateTime<Utc>>,
    /// The version, for `If-Match`.
    #[schema(example = "\"1\"")]
    pub etag: String,
}

/// The body of a request to create a user.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name to sign in with.
    #[schema(min_length = 1, max_length = 150, example = "ada")]
    pub username: String,
    /// The password; left out: the user signs in at a provider, or not until a password is set.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub password: Option<String>,
    /// What the user may do.
    pub role: Role,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { username, password: _, role } = self;
        f.debug_struct("NewUser").field("username", username).field("role", role).finish_non_exhaustive()
    }
}

/// The body of a request to change a user; a field that is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// What the user may do.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether the user is disabled, so that sign-in is refused.
    #[serde(default)]
    pub is_disabled: Option<bool>,
}

/// The body of a request to set another user's password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The new password, 10 to 1024 characters.
    #[schema(min_length = 10, max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub password: String,
    /// Whether the user's API tokens are revoked, too; left out: they stay valid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revoke_tokens: bool,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// The body of a request to change one's own password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password that is valid now.
    #[schema(max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub current: String,
    /// The password to use from now on.
    #[schema(min_length = 10, max_length = 1024, format = Password, example = "seven otters juggle lamps")]
    pub new: String,
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordChange(…)")
    }
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// The id; it is never used again.
    pub id: SessionId,
    /// When the user signed in.
    pub created: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen: DateTime<Utc>,
    /// When the session expires.
    pub expires: DateTime<Utc>,
    /// The address that it was last used from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// The browser's `User-Agent` when the session began.
    pub user_agent: Option<String>,
    /// Whether it is the session of this request.
    pub is_current: bool,
}

/// What is wrong with a user's name; none if it is valid.
pub fn username_fault(name: &str) -> Option<&'static str> {
    // Invisible characters, and those that change the writing direction, would make one name look like another.
    let is_unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if name.is_empty() || name.chars().count() > 150 {
        Some("Must have 1 to 150 characters.")
    } else if name.chars().any(is_unseen) {
        Some("May hold no control characters and none that cannot be seen.")
    } else if name.trim() != name {
        Some("May neither begin nor end with a space.")
    } else {
        None
    }
}

/// The body of a request to create a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// The name, which says what the token is for.
    #[schema(min_length = 1, max_length = 100, example = "nightly deploy")]
    pub name: String,
    /// The role; at most the role of the user who creates the token.
    pub role: Role,
    /// The scopes within that role; left out: all of them.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 4)]
    pub scopes: Option<Vec<Scope>>,
    /// Days until it stops working, 1 to 365; left out: 90.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 365)]
    pub expires_in_days: Option<i64>,
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The id; it is never used again.
    pub id: TokenId,
    /// The name, which says what the token is for.
    pub name: String,
    /// The role, which limits the scopes.
    pub role: Role,
    /// What it may be used for, within its role.
    pub scopes: Vec<Scope>,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it expires and stops working.
    pub expires: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used: Option<DateTime<Utc>>,
}

/// A new token. The secret is shown only this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token without its secret.
    #[serde(flatten)]
    pub token: Token,
    /// The secret: what goes after `Authorization: Bearer`.
    pub secret: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_ones_before_may() {
        for (place, role) in Role::ALL.iter().enumerate() {
            for (other, needed) in Role::ALL.iter().enumerate() {
                assert_eq!(role.may(*needed) == Possible::Yes, place >= other, "{role:?} {needed:?}");
            }
        }
    }

    #[test]
    fn a_name_is_what_people_can_read() {
        for good in ["ada", "Ada Lovelace", "ada@example.com", "Zoë", &"x".repeat(150)] {
            assert_eq!(username_fault(good), None, "{good}");
        }
        for bad in ["", " ada", "ada\n", "a\0da", "a\u{7f}da", "ad\u{202e}a", "a\u{200b}da", &"x".repeat(151)] {
            assert!(username_fault(bad).is_some(), "{bad:?}");
        }
    }
}
