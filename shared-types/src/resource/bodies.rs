//! The bodies of requests and answers about resources.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ResourceClass, ResourceKind, ResourcePart, ResourceServerName, ResourceState};
use crate::ids::ResourceId;

/// An account, a database or a bucket that an instance has outside its machines, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// The id; it is never used again.
    pub id: ResourceId,
    /// The kind of its server.
    pub kind: ResourceKind,
    /// Whether it is an account, or what holds data: a database, a bucket or a container.
    pub part: ResourcePart,
    /// The name that the application knows it by; `account` for an account.
    #[schema(example = "main")]
    pub name: String,
    /// Whether ocim makes it, or the operator entered it.
    pub class: ResourceClass,
    /// The server of the settings that has it; null if it is given.
    pub server: Option<ResourceServerName>,
    /// The host that app servers connect to; null if the settings no longer have the server.
    #[schema(example = "db.example")]
    pub host: Option<String>,
    /// The port that app servers connect to; null if the settings no longer have the server.
    pub port: Option<u16>,
    /// Its name at the server; of a database of Redis the number, of a shared account `shared`.
    #[schema(example = "ocim_1f2e3d4c_17_main_kqzmwx")]
    pub remote_name: String,
    /// Whether other instances log in with the same account: that of the server's table in the settings.
    pub is_shared: bool,
    /// Its state.
    pub state: ResourceState,
    /// The state's name for people.
    #[schema(example = "Present")]
    pub state_name: String,
    /// Whether its password was replaced, and its server could not be told yet.
    pub password_due: bool,
    /// Why the last attempt to make, find or delete it failed; null: it did not.
    pub trouble: Option<String>,
    /// The size in bytes when it was last measured; null for accounts, for Redis, for very large buckets and for what is given.
    #[schema(minimum = 0)]
    pub size_bytes: Option<i64>,
    /// When the size was last measured; null: never.
    pub measured_at: Option<DateTime<Utc>>,
    /// When a launch or an operator first asked for it.
    pub created: DateTime<Utc>,
    /// When its state last changed.
    pub modified: DateTime<Utc>,
}

/// What an instance has outside its machines, and what its next app server asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceResources {
    /// All that are not deleted: by kind, the account before its databases.
    pub items: Vec<Resource>,
    /// What the next app server uses with the present settings, by kind.
    pub wanted: Vec<WantedResources>,
}

/// What an instance's next app server uses of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WantedResources {
    /// The kind of the server.
    pub kind: ResourceKind,
    /// The names that the application knows the databases by.
    #[schema(example = json!(["main"]))]
    pub databases: Vec<String>,
    /// Whether a launch is refused without. If not, app servers then use their machine's own.
    pub is_required: bool,
    /// The server of the settings where they are, or where the next build makes them; null: they were entered, or there is no
    /// server for them.
    pub server: Option<ResourceServerName>,
    /// Why a launch would be refused, and what to do; null: it would not.
    pub missing: Option<String>,
}

/// How to connect to an instance's account of one kind, with the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceCredentials {
    /// The kind of the server.
    pub kind: ResourceKind,
    /// The host that app servers connect to.
    #[schema(example = "db.example")]
    pub host: String,
    /// The port that app servers connect to.
    #[schema(example = 3306)]
    pub port: u16,
    /// The user.
    pub username: String,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
    /// Whether the connection must use TLS.
    pub has_tls: bool,
    /// Names of the databases, buckets or containers at the server, by the names that the application knows them by.
    pub databases: BTreeMap<String, String>,
    /// What else a client must know, such as `auth_source` of MongoDB or `region` of S3.
    pub options: BTreeMap<String, String>,
}

impl std::fmt::Debug for ResourceCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, host, port, username, .. } = self;
        let mut shown = f.debug_struct("ResourceCredentials");
        shown.field("kind", kind).field("host", host).field("port", port).field("username", username);
        shown.finish_non_exhaustive()
    }
}

/// The body of a request that says where an instance's resources of one kind are: exactly one of the two fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceChoice {
    /// The server of the settings where ocim makes them.
    #[serde(default)]
    pub server: Option<String>,
    /// Where the ones are that exist already.
    #[serde(default)]
    pub given: Option<GivenResources>,
}

/// Credentials that an operator enters. Nothing is made and nothing is deleted with them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GivenResources {
    /// The host that app servers connect to: a name or an address.
    #[schema(min_length = 1, max_length = 253, example = "db.example")]
    pub host: String,
    /// The port; left out: the kind's usual one.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub port: Option<u16>,
    /// The user; of S3 the access key.
    #[schema(min_length = 1, max_length = 128)]
    pub username: String,
    /// The password; of S3 the secret key. Only an administrator's request for the credentials shows it.
    #[schema(min_length = 1, max_length = 1000, format = Password)]
    pub password: String,
    /// Whether the connection must use TLS; left out: yes.
    #[serde(default)]
    pub has_tls: Option<bool>,
    /// Names of the databases, buckets or containers at the server, by the names that the application knows them by; of Redis, numbers.
    #[serde(default)]
    pub databases: BTreeMap<String, String>,
    /// What else a client must know: of MongoDB `auth_mechanism`, `auth_source` and `replica_set`; of S3 `region`, and `addressing` (`auto`, `path`
    /// or `virtual`); of Swift `auth_path` (such as `/v3`), `project`, `project_domain`, `user_domain` and `region`; of others nothing.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

impl std::fmt::Debug for GivenResources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, username, .. } = self;
        let mut shown = f.debug_struct("GivenResources");
        shown.field("host", host).field("port", port).field("username", username).finish_non_exhaustive()
    }
}

/// The body of a request for another password.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotatePassword {
    /// Whether to do it although app servers with the present password have machines; they lose their connection.
    #[serde(default)]
    pub cuts_off: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_printed() {
        let given = GivenResources {
            host: "db.example".into(),
            port: None,
            username: "u".into(),
            password: "hidden-1".into(),
            has_tls: None,
            databases: BTreeMap::new(),
            options: BTreeMap::new(),
        };
        let choice = ResourceChoice { server: None, given: Some(given) };
        let shown = format!("{choice:?}");
        assert!(shown.contains("db.example") && !shown.contains("hidden-1"), "{shown}");
    }
}
