//! Who may do what.

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
    /// Looks.
    Viewer,
    /// Creates, launches, activates.
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

    /// Whether one who has this role may do what needs that one.
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

/// What an API token is for, within what its role may. Looking is in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Looks.
    Read,
    /// Creates and changes instances, launches, stops and terminates app servers.
    Deploy,
    /// Activates, rolls back, sets and lifts holds.
    Activate,
    /// Manages users and the system.
    Admin,
}

impl Scope {
    /// Every scope.
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

    /// The role that this takes, too.
    pub const fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Deploy | Self::Activate => Role::Operator,
            Self::Admin => Role::Admin,
        }
    }
}

/// The one who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name to sign in with.
    #[schema(example = "admin")]
    pub username: String,
    /// What they may do.
    pub role: Role,
}

/// What signing in takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name.
    #[schema(max_length = 150, example = "admin")]
    pub username: String,
    /// The password.
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
    /// The id.
    pub id: UserId,
    /// The name to sign in with.
    #[schema(example = "ada")]
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may not sign in.
    pub is_disabled: bool,
    /// Whether they have a password; without one they sign in elsewhere.
    pub has_password: bool,
    /// When they were made.
    pub created: DateTime<Utc>,
    /// When they last signed in.
    pub last_login: Option<DateTime<Utc>>,
    /// The version, for `If-Match`.
    #[schema(example = "\"1\"")]
    pub etag: String,
}

/// What making a user takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name to sign in with.
    #[schema(min_length = 1, max_length = 150, example = "ada")]
    pub username: String,
    /// The password; left out: they sign in elsewhere, or not before they are given one.
    #[serde(default)]
    #[schema(min_length = 10, max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub password: Option<String>,
    /// What they may do.
    pub role: Role,
}

impl std::fmt::Debug for NewUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { username, password: _, role } = self;
        f.debug_struct("NewUser").field("username", username).field("role", role).finish_non_exhaustive()
    }
}

/// What changing a user takes; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPatch {
    /// What they may do.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether they may not sign in.
    #[serde(default)]
    pub is_disabled: Option<bool>,
}

/// A password for somebody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password.
    #[schema(min_length = 10, max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub password: String,
}

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// What changing one's own password takes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The password as it is.
    #[schema(max_length = 1024, format = Password, example = "correct horse battery staple")]
    pub current: String,
    /// The password as it shall be.
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
    /// The id.
    pub id: SessionId,
    /// When it began.
    pub created: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen: DateTime<Utc>,
    /// When it ends by itself.
    pub expires: DateTime<Utc>,
    /// Where it was last used from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// What the browser said it was when it began.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub is_current: bool,
}

/// What is wrong with a user's name; none: nothing.
pub fn username_fault(name: &str) -> Option<&'static str> {
    // What is not seen, or turns the order of what is, would make one name look like another.
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

/// What making a token takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 100, example = "nightly deploy")]
    pub name: String,
    /// What it may do; at most what its maker may.
    pub role: Role,
    /// What it is for, within that; left out: all of it.
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
    /// The id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// What it is for, within that.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it stops working.
    pub expires: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used: Option<DateTime<Utc>>,
}

/// A token just made. The secret is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token.
    #[serde(flatten)]
    pub token: Token,
    /// What goes after `Authorization: Bearer`.
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
