//! Who performs an operation.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::sign_in::Provider;

/// Who performs an operation: a person, or a part of the program. Its text is what the audit log, the logs and columns
/// such as `requested_by` hold. A user may have the name of a part of the program: the audit log also has the user's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(from = "String", into = "String")]
pub enum Actor {
    /// A user, by name; of a refused sign-in, the name that was given.
    User(String),
    /// An API token of a user, by both names.
    Token {
        /// The name of the token's owner.
        user: String,
        /// The name of the token.
        token: String,
    },
    /// The operator, with `ocim admin` in the host's shell.
    Shell,
    /// The provider that a user signs in at.
    SignIn(Provider),
    /// The automatic operations for a pull request.
    PullRequest {
        /// `owner/name` at GitHub.
        repository: String,
        /// The pull request's number in the repository.
        number: i32,
    },
    /// The comparison of the database with the machines' provider.
    Reaper,
    /// The end of the retention of a machine.
    Retention,
    /// The activation of an app server that has begun to run.
    Automation,
    /// The installation of people's SSH keys on machines.
    SshKeys,
    /// The schedule of backups and their retention, and the maintenance page of a restore.
    Backups,
    /// The snapshot before a build that migrates databases, its maintenance page, and its restore after a failure.
    Migration,
    /// The actor of an earlier operation that is continued or repeated, by its stored text.
    Earlier(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) | Self::Earlier(name) => f.write_str(name),
            Self::Token { user, token } => write!(f, "{user} (token «{token}»)"),
            Self::Shell => f.write_str("ocim admin"),
            Self::SignIn(provider) => f.write_str(provider.as_str()),
            Self::PullRequest { repository, number } => write!(f, "pull request {repository}#{number}"),
            Self::Reaper => f.write_str("reaper"),
            Self::Retention => f.write_str("retention"),
            Self::Automation => f.write_str("automation"),
            Self::SshKeys => f.write_str("ssh keys"),
            Self::Backups => f.write_str("backups"),
            Self::Migration => f.write_str("migration"),
        }
    }
}

/// What is stored is the text, so an actor equals the [`Actor::Earlier`] that is read from where it was stored.
impl PartialEq for Actor {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Actor {}

impl From<String> for Actor {
    fn from(stored: String) -> Self {
        Self::Earlier(stored)
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_text_of_each_actor_stays() {
        let texts = [
            (Actor::User("ada".into()), "ada"),
            (Actor::Token { user: "ada".into(), token: "ci".into() }, "ada (token «ci»)"),
            (Actor::Shell, "ocim admin"),
            (Actor::SignIn(Provider::Github), "github"),
            (Actor::PullRequest { repository: "acme/site".into(), number: 7 }, "pull request acme/site#7"),
            (Actor::Reaper, "reaper"),
            (Actor::Retention, "retention"),
            (Actor::Automation, "automation"),
            (Actor::SshKeys, "ssh keys"),
            (Actor::Backups, "backups"),
            (Actor::Migration, "migration"),
        ];
        for (actor, text) in texts {
            assert_eq!(actor.to_string(), text);
            assert_eq!(actor, Actor::Earlier(text.to_owned()), "as it is read again");
        }
    }
}
