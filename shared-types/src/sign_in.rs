//! Signing in elsewhere: where that is possible, and why it was not.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::ProblemType;

/// Where people can sign in beside here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A provider of OpenID Connect.
    Oidc,
    /// GitHub.
    Github,
}

impl Provider {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Oidc, Self::Github];

    /// The word in paths, JSON and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Oidc => "oidc",
            Self::Github => "github",
        }
    }

    /// The one with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|provider| provider.as_str() == word)
    }
}

/// A provider that people can sign in at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInProvider {
    /// Which.
    pub id: Provider,
    /// What people call it.
    #[schema(example = "Example Inc.")]
    pub name: String,
    /// Where a browser goes to begin; `?next=` says where it comes out.
    #[schema(example = "/api/v1/auth/oidc/login")]
    pub url: String,
}

/// Why signing in elsewhere came to nothing; `/login?problem={word}` says it to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignInProblem {
    /// The request makes no sense.
    BadRequest,
    /// It was not begun in this browser, or longer ago than ten minutes.
    Expired,
    /// The provider, or the person there, said no.
    Denied,
    /// What the provider sent does not hold.
    Invalid,
    /// None of their groups gives a role.
    NoRole,
    /// The user may not sign in any more.
    Disabled,
    /// The provider, or our database, does not answer.
    Unavailable,
    /// A fault of ours.
    Failed,
}

impl SignInProblem {
    /// Every one.
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

    /// The one with this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|problem| problem.as_str() == word)
    }

    /// What a person reads.
    pub const fn words(self) -> &'static str {
        match self {
            Self::BadRequest => "The address that began signing in is not valid; use the buttons on the login page.",
            Self::Expired => "Signing in was not begun in this browser, or took longer than ten minutes. Begin anew.",
            Self::Denied => "The provider did not let you sign in, or you said no there.",
            Self::Invalid => {
                "What the provider sent does not hold, so nobody was signed in. Begin anew; if it stays so, the log knows more."
            }
            Self::NoRole => "None of your groups gives a role here; ask an administrator for one.",
            Self::Disabled => "This user is disabled; an administrator can enable it.",
            Self::Unavailable => "The provider does not answer now; try again in a moment, or sign in with a password.",
            Self::Failed => "Something went wrong on our side; the log knows more.",
        }
    }

    /// The kind of problem that scripts are told.
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
