//! Who may do what.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::Possible;
use crate::ids::{TokenId, UserId};

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
}
