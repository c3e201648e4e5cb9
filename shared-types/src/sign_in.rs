//! Sign-in at external providers, and why it failed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::ProblemType;

/// An external provider that users can sign in at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A provider of OpenID Connect.
    Oidc,
    /// GitHub, by an OAuth application.
    Github,
}

impl Provider {
    /// Every provider, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Oidc, Self::Github];

    /// The word in paths, JSON and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Github => "github",
        }
    }

    /// The provider with this word; none if there is no such.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.as_str() == word)
    }
}

/// A provider that users can sign in at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInProvider {
    /// The kind of the provider.
    pub id: Provider,
    /// The name shown to people.
    #[schema(example = "Example Inc.")]
    pub name: String,
    /// The path where a browser begins the sign-in; `?next=` names the page to return to.
    #[schema(example = "/api/v1/auth/oidc/login")]
    pub url: String,
}

/// Why a sign-in at a provider failed; `/login?problem={word}` tells the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInProblem {
    /// The request is not valid.
    BadRequest,
    /// The sign-in was not begun in this browser, or more than ten minutes ago.
    Expired,
    /// The provider, or the user there, refused the sign-in.
    Denied,
    /// The provider's response failed a check.
    Invalid,
    /// None of the user's groups gives a role.
    NoRole,
    /// The user is disabled here.
    Disabled,
    /// The provider or the database does not answer.
    Unavailable,
    /// An error in this program.
    Failed,
}

impl SignInProblem {
    /// Every problem, in the order of declaration.
    pub const ALL: &[Self] = &[
        Self::BadRequest,
        Self::Expired,
        Self::Denied,
        Self::Invalid,
        Self::NoRole,
        Self::Disabled,
        Self::Unavailable,
        Self::Failed,
    ];

    /// The word in the login page's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad-request",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Invalid => "invalid",
            Self::NoRole => "no-role",
            Self::Disabled => "disabled",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }

    /// The problem with this word; none if there is no such.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|problem| problem.as_str() == word)
    }

    /// The sentence that the login page shows.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BadRequest => "Invalid sign-in link; use the buttons on the login page.",
            Self::Expired => {
                "This sign-in was started in another browser, or took longer than ten minutes. Sign in again."
            }
            Self::Denied => "Sign-in was cancelled, or the provider refused it.",
            Self::Invalid => {
                "The provider's response failed a check, so you were not signed in. Sign in again; if it fails again, see the log."
            }
            Self::NoRole => "None of your groups has a role in this console; ask an administrator for one.",
            Self::Disabled => "This user is disabled; an administrator can enable it.",
            Self::Unavailable => "The provider does not answer now; try again in a moment, or sign in with a password.",
            Self::Failed => "Something went wrong on our side; the log knows more.",
        }
    }

    /// The problem type that the API answers with.
    pub const fn kind(self) -> ProblemType {
        match self {
            Self::BadRequest | Self::Expired => ProblemType::BadRequest,
            Self::Invalid => ProblemType::Unauthenticated,
            Self::Denied | Self::NoRole | Self::Disabled => ProblemType::Forbidden,
            Self::Unavailable => ProblemType::Unavailable,
            Self::Failed => ProblemType::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for provider in Provider::ALL {
            assert_eq!(Provider::parse(provider.as_str()), Some(*provider));
        }
        for problem in SignInProblem::ALL {
            assert_eq!(SignInProblem::parse(problem.as_str()), Some(*problem));
        }
        assert_eq!((Provider::parse("Oidc"), SignInProblem::parse("")), (None, None));
    }
}
