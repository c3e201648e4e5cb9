//! Credentials of private repositories: what proves to a git server that this program may read them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::SourceCredentialId;

/// The kind of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// The private key of an ssh key pair, whose public key the server knows.
    DeployKey,
    /// A token, which is sent as the password over https.
    Token,
}

impl CredentialKind {
    /// Both kinds, in the order of declaration.
    pub const ALL: &[Self] = &[Self::DeployKey, Self::Token];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeployKey => "deploy_key",
            Self::Token => "token",
        }
    }
}

/// A credential of private repositories, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceCredential {
    /// The id; it is never used again.
    pub id: SourceCredentialId,
    /// The repositories that it is for: one, or all below a path, with `/*`. Of two that fit, the longer one is used.
    #[schema(example = "https://git.example/acme/*")]
    pub source: String,
    /// Whether it is a deploy key or a token.
    pub kind: CredentialKind,
    /// The login name that is sent with a token; null for a deploy key.
    #[schema(example = "git")]
    pub username: Option<String>,
    /// The host keys of the server of a deploy key, as lines of a `known_hosts` file; null for a token.
    #[schema(example = "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0")]
    pub known_hosts: Option<String>,
    /// Who added it.
    #[schema(example = "admin")]
    pub created_by: String,
    /// When it was added.
    pub created: DateTime<Utc>,
}

/// The body of a request to add a credential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSourceCredential {
    /// The repositories that it is for: `https://host/owner/*`, `ssh://user@host/path/*`, or one repository.
    #[schema(min_length = 1, max_length = 500, example = "https://git.example/acme/*")]
    pub source: String,
    /// `deploy_key` for ssh, `token` for https.
    pub kind: CredentialKind,
    /// The login name that is sent with a token; left out: `git`, which servers ignore. Not for a deploy key.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100, example = "git")]
    pub username: Option<String>,
    /// The token, or the private key without a passphrase. No answer ever contains it.
    #[schema(min_length = 1, max_length = 20000, format = Password, example = "glpat-0123456789")]
    pub secret: String,
    /// The host keys of the server, as lines of a `known_hosts` file; a deploy key needs them. `ssh-keyscan` prints
    /// them; compare them with those that the server's owner publishes.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20000, example = "git.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0")]
    pub known_hosts: Option<String>,
}

impl std::fmt::Debug for NewSourceCredential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { source, kind, .. } = self;
        f.debug_struct("NewSourceCredential").field("source", source).field("kind", kind).finish_non_exhaustive()
    }
}
