//! What an instance has outside its machines: accounts and databases at servers that outlive app servers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::ResourceId;

/// The kind of a server outside the machines, and of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// MySQL or MariaDB.
    Mysql,
    /// PostgreSQL.
    Postgresql,
    /// Redis or Valkey; its databases are numbers.
    Redis,
    /// MongoDB; only with credentials that the operator enters.
    Mongodb,
}

impl ResourceKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Mysql, Self::Postgresql, Self::Redis, Self::Mongodb];

    /// The word in settings, in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Redis => "redis",
            Self::Mongodb => "mongodb",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Postgresql => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Mongodb => "MongoDB",
        }
    }

    /// The port of a server that names none.
    pub const fn port(self) -> u16 {
        match self {
            Self::Mysql => 3306,
            Self::Postgresql => 5432,
            Self::Redis => 6379,
            Self::Mongodb => 27017,
        }
    }

    /// Whether ocim can make accounts and databases at such a server. If not, they must be given.
    pub const fn can_be_made(self) -> bool {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis => true,
            Self::Mongodb => false,
        }
    }

    /// The options that credentials of this kind may have besides host, port, user and password.
    pub const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis => &[],
            Self::Mongodb => &["auth_mechanism", "auth_source", "replica_set"],
        }
    }
}

impl std::fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ResourceKind {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
            format!("must be one of {}", words.join(", "))
        })
    }
}

/// What a resource is at its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ResourcePart {
    /// The user that the instance's app servers log in as; one of each kind for the instance's life.
    Account,
    /// A database that the account may use, and no other account of ocim.
    Database,
}

impl ResourcePart {
    /// Both parts. What comes first is made first, and deleted last.
    pub const ALL: &[Self] = &[Self::Account, Self::Database];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Database => "database",
        }
    }
}

/// Who makes a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ResourceClass {
    /// ocim makes it, and deletes it when the instance is purged.
    Made,
    /// The operator entered where it is; ocim neither makes nor deletes it.
    Given,
}

impl ResourceClass {
    /// Both classes, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Made, Self::Given];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Given => "given",
        }
    }
}

/// The state of a resource. What is given goes through the same states, without a request to its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ResourceState {
    /// Its names are decided; its server was not asked for it yet.
    Wanted,
    /// Its server was asked for it, and may have it.
    Creating,
    /// Its server has confirmed it.
    Present,
    /// Its server refused it. The next build tries again.
    Failed,
    /// It is to be deleted; its server may still have it.
    Deleting,
    /// Its server has confirmed that it has it no more; no other state follows.
    Deleted,
}

impl ResourceState {
    /// Every state, in the order of a resource's life.
    pub const ALL: &[Self] =
        &[Self::Wanted, Self::Creating, Self::Present, Self::Failed, Self::Deleting, Self::Deleted];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wanted => "wanted",
            Self::Creating => "creating",
            Self::Present => "present",
            Self::Failed => "failed",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wanted => "Wanted",
            Self::Creating => "Creating",
            Self::Present => "Present",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
            Self::Deleted => "Deleted",
        }
    }

    /// The states that may follow. Rust code and the database refuse any other change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Wanted => &[Self::Creating, Self::Deleted],
            // Back, if its server says that the name is taken: then nothing was made.
            Self::Creating => &[Self::Wanted, Self::Present, Self::Failed, Self::Deleting],
            Self::Present => &[Self::Deleting],
            Self::Failed => &[Self::Creating, Self::Deleting],
            Self::Deleting => &[Self::Deleted],
            Self::Deleted => &[],
        }
    }

    /// Whether `to` may follow this state.
    pub fn can_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }
}

/// The name of a server: that of its table `[resources.NAME]` in the settings file. 1 to 32 small letters, digits and
/// hyphens, the first a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "main")]
pub struct ResourceServerName(pub(crate) String);

impl ResourceServerName {
    /// The most characters of a name.
    pub const MAX: usize = 32;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ResourceServerName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        match begins_well && text.len() <= Self::MAX && text.chars().all(is_inner) {
            true => Ok(Self(text)),
            false => Err(format!(
                "A server's name has 1 to {} small letters, digits and hyphens, the first a letter.",
                Self::MAX
            )),
        }
    }
}

impl std::str::FromStr for ResourceServerName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.to_owned().try_into()
    }
}

impl From<ResourceServerName> for String {
    fn from(ResourceServerName(name): ResourceServerName) -> Self {
        name
    }
}

impl std::fmt::Display for ResourceServerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an account's row; databases have the names that the application knows them by.
pub const ACCOUNT: &str = "account";

/// An account or a database that an instance has outside its machines, without its password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// The id; it is never used again.
    pub id: ResourceId,
    /// The kind of its server.
    pub kind: ResourceKind,
    /// Whether it is an account or a database.
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
    /// Its name at the server; of a database of Redis, the number.
    #[schema(example = "ocim_1f2e3d4c_17_main_kqzmwx")]
    pub remote_name: String,
    /// Its state.
    pub state: ResourceState,
    /// The state's name for people.
    #[schema(example = "Present")]
    pub state_name: String,
    /// Whether its password was replaced, and its server could not be told yet.
    pub password_due: bool,
    /// Why the last attempt to make, find or delete it failed; null: it did not.
    pub trouble: Option<String>,
    /// The size in bytes when it was last measured; null for accounts, for Redis and for what is given.
    #[schema(minimum = 0)]
    pub size_bytes: Option<i64>,
    /// When the size was last measured; null: never.
    pub measured_at: Option<DateTime<Utc>>,
    /// When a launch or an operator first asked for it.
    pub created: DateTime<Utc>,
    /// When its state last changed.
    pub modified: DateTime<Utc>,
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
    /// Names of the databases at the server, by the names that the application knows them by.
    pub databases: BTreeMap<String, String>,
    /// What else a client must know, such as `auth_source` of MongoDB.
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
    /// The user.
    #[schema(min_length = 1, max_length = 128)]
    pub username: String,
    /// The password. Only an administrator's request for the credentials shows it.
    #[schema(min_length = 1, max_length = 1000, format = Password)]
    pub password: String,
    /// Whether the connection must use TLS; left out: yes.
    #[serde(default)]
    pub has_tls: Option<bool>,
    /// Names of the databases at the server, by the names that the application knows them by; of Redis, numbers.
    #[serde(default)]
    pub databases: BTreeMap<String, String>,
    /// What else a client must know: of MongoDB `auth_mechanism`, `auth_source` and `replica_set`; of others nothing.
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
    fn a_resource_that_may_exist_ends_only_by_a_confirmed_deletion() {
        for state in [ResourceState::Creating, ResourceState::Present, ResourceState::Failed] {
            assert!(!state.can_become(ResourceState::Deleted), "{state:?}");
            assert!(state.can_become(ResourceState::Deleting), "{state:?}");
        }
        assert!(ResourceState::Wanted.can_become(ResourceState::Deleted), "its server was never asked for it");
        assert_eq!(ResourceState::Deleted.next(), []);
    }

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
