//! How people log in to machines: their public keys, and who may log in to which machine.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{SshKeyId, UserId};
use crate::user::{Role, Scope};

/// The most public keys of a user.
pub const MAX_SSH_KEYS: usize = 20;

/// The port that `ssh` uses if none is given.
const DEFAULT_PORT: u16 = 22;

/// The role that a user needs to log in to machines: that of launching app servers.
pub const LOGIN_ROLE: Role = Scope::Deploy.role();

/// A public SSH key of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SshKey {
    /// The id; it is never used again.
    pub id: SshKeyId,
    /// The name that the user gave it.
    #[schema(example = "laptop")]
    pub name: String,
    /// The first word of the key.
    #[schema(example = "ssh-ed25519")]
    pub algorithm: String,
    /// The key as one line, without its comment.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0Zk7bO3Gj1m4yPzq0w4p0m9pQdV2s8b8m1tq4yJ3a")]
    pub public_key: String,
    /// What stood behind the key.
    #[schema(example = "ada@laptop")]
    pub comment: String,
    /// Its fingerprint, as `ssh-keygen -l` prints it and sshd logs it.
    #[schema(example = "SHA256:uNiVztksCsDhcc0u9e8BrrfNFmWEbKH7Vm2W1UVj5nA")]
    pub fingerprint: String,
    /// When it was added.
    pub created: DateTime<Utc>,
}

/// The body of a request to add a public SSH key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSshKey {
    /// The name to know it by; left out or blank: the key's comment, or else its algorithm.
    #[serde(default)]
    #[schema(max_length = 100, example = "laptop")]
    pub name: Option<String>,
    /// The public key, as one line of a `.pub` file: Ed25519, ECDSA, RSA of 2,048 bits or more, or of a security key (`sk-`).
    #[schema(
        min_length = 1,
        max_length = 8000,
        example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0Zk7bO3Gj1m4yPzq0w4p0m9pQdV2s8b8m1tq4yJ3a ada@laptop"
    )]
    pub public_key: String,
}

/// How to log in to a machine with `ssh`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SshLogin {
    /// The user to log in as; may use `sudo`.
    #[schema(example = "ubuntu")]
    pub user: String,
    /// The address of sshd, as this program reaches it.
    #[schema(example = "10.213.0.2")]
    pub host: String,
    /// The port of sshd.
    #[schema(example = 22)]
    pub port: u16,
    /// The command for a terminal; the port is left out if it is 22.
    #[schema(example = "ssh ubuntu@10.213.0.2")]
    pub command: String,
    /// The only host key to accept: the provider's, or the one recorded at the first login. Null before that.
    #[schema(example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGj0Zk7bO3Gj1m4yPzq0w4p0m9pQdV2s8b8m1tq4yJ3a")]
    pub host_key: Option<String>,
}

impl SshLogin {
    /// The login of this user at this address, with its command.
    pub fn new(user: String, host: String, port: u16, host_key: Option<String>) -> Self {
        let command = match port {
            DEFAULT_PORT => format!("ssh {user}@{host}"),
            port => format!("ssh -p {port} {user}@{host}"),
        };
        Self { user, host, port, command, host_key }
    }
}

/// Why a person may log in to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum AccessOrigin {
    /// A user whose role allows it.
    User,
    /// A member of the team that the instance names.
    Team,
}

impl AccessOrigin {
    /// Both, in the order of declaration.
    pub const ALL: &[Self] = &[Self::User, Self::Team];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Team => "team",
        }
    }
}

/// A key that lets a person log in to a machine, or did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessGrant {
    /// The name of the user, or the login of the team's member, at that time.
    #[schema(example = "ada")]
    pub person: String,
    /// Why the person may log in.
    pub origin: AccessOrigin,
    /// The user, also after they were deleted; null for a member of a team.
    pub user_id: Option<UserId>,
    /// The name of the key, or the team of the member.
    #[schema(example = "laptop")]
    pub key_name: String,
    /// The key's fingerprint, as sshd logs it.
    #[schema(example = "SHA256:uNiVztksCsDhcc0u9e8BrrfNFmWEbKH7Vm2W1UVj5nA")]
    pub fingerprint: String,
    /// When the key was about to be installed.
    pub granted_at: DateTime<Utc>,
    /// When the machine confirmed that it has the key; null: not yet.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When the machine confirmed that it has the key no more, or ended; null: the key lets in.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Who may log in to the machine of an app server, and who could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AppServerAccess {
    /// The keys that let in now, then the others, each newest first; at most 500.
    pub items: Vec<AccessGrant>,
    /// The team whose members may log in; null if the instance names none.
    #[schema(example = "acme/owners")]
    pub team: Option<String>,
    /// Why the members of the team are not known, or are as they were read earlier; null if they are known.
    pub team_trouble: Option<String>,
    /// When the members of the team were last read; null: never, or there is no team.
    pub team_read_at: Option<DateTime<Utc>>,
    /// When the machine last confirmed the keys; null: never.
    pub installed_at: Option<DateTime<Utc>>,
    /// Why the last attempt to install the keys failed; null if it did not.
    #[schema(example = "no answer over SSH within 20 s")]
    pub trouble: Option<String>,
    /// When the next attempt is made after a failed one.
    pub next_try: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_a_port_only_if_it_is_not_the_default_one() {
        let command = |port| SshLogin::new("ubuntu".to_owned(), "10.213.0.2".to_owned(), port, None).command;
        assert_eq!(command(22), "ssh ubuntu@10.213.0.2");
        assert_eq!(command(40022), "ssh -p 40022 ubuntu@10.213.0.2");
    }

    #[test]
    fn every_origin_is_written_as_its_word() {
        for origin in AccessOrigin::ALL {
            assert_eq!(serde_json::to_value(origin).ok(), Some(origin.as_str().into()));
        }
    }
}
