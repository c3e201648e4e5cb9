//! The port to teams of people that are kept outside of this program.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A team whose members may log in to the machines of an instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Team {
    /// The name of the organization, in lower case.
    organization: String,
    /// The slug of the team, in lower case.
    name: String,
}

impl Team {
    /// The team of this name; capitals do not count.
    pub fn new(organization: &str, name: &str) -> Self {
        Self { organization: organization.to_lowercase(), name: name.to_lowercase() }
    }

    pub fn organization(&self) -> &str {
        &self.organization
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Team {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.organization, self.name)
    }
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The name there.
    pub login: String,
    /// The public keys, each as algorithm and Base64; unchecked.
    pub keys: Vec<String>,
}

/// Why the members of a team are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TeamError {
    /// There is no such team, or the token may not see it: it counts as a team without members.
    #[error("{0}")]
    Gone(String),
    /// It cannot be asked now: what was read before still holds.
    #[error("{0}")]
    Unavailable(String),
}

/// Reads the members of teams.
#[async_trait]
pub trait Teams: Debug + Send + Sync {
    /// The members of a team, with their keys.
    ///
    /// # Errors
    /// [`TeamError`], in sentences.
    async fn members(&self, team: &Team) -> Result<Vec<Member>, TeamError>;
}
