//! What an instance has outside its machines: accounts, databases and buckets at servers that outlive app servers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod bodies;

pub use bodies::{
    GivenResources, InstanceResources, Resource, ResourceChoice, ResourceCredentials, RotatePassword, WantedResources,
};

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
    /// Object storage with the interface of Amazon S3; its databases are buckets.
    S3,
    /// Object storage of OpenStack; its databases are containers.
    Swift,
}

impl ResourceKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Mysql, Self::Postgresql, Self::Redis, Self::Mongodb, Self::S3, Self::Swift];

    /// The word in settings, in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Postgresql => "postgresql",
            Self::Redis => "redis",
            Self::Mongodb => "mongodb",
            Self::S3 => "s3",
            Self::Swift => "swift",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mysql => "MySQL",
            Self::Postgresql => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Mongodb => "MongoDB",
            Self::S3 => "S3",
            Self::Swift => "Swift",
        }
    }

    /// The port of a server that names none.
    pub const fn port(self) -> u16 {
        match self {
            Self::Mysql => 3306,
            Self::Postgresql => 5432,
            Self::Redis => 6379,
            Self::Mongodb => 27017,
            Self::S3 | Self::Swift => 443,
        }
    }

    /// Whether ocim can make anything at such a server. If not, it must be given.
    pub const fn can_be_made(self) -> bool {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis | Self::S3 | Self::Swift => true,
            Self::Mongodb => false,
        }
    }

    /// Whether it holds files for browsers and programs, and no rows or documents.
    pub const fn is_object_storage(self) -> bool {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis | Self::Mongodb => false,
            Self::S3 | Self::Swift => true,
        }
    }

    /// Whether all instances at such a server log in with one account, that of the settings, because ocim makes none there.
    pub const fn shares_account(self) -> bool {
        self.is_object_storage()
    }

    /// The word for what holds an instance's data there.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis | Self::Mongodb => "database",
            Self::S3 => "bucket",
            Self::Swift => "container",
        }
    }

    /// The options that credentials of this kind may have besides host, port, user and password.
    pub const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mysql | Self::Postgresql | Self::Redis => &[],
            Self::Mongodb => &["auth_mechanism", "auth_source", "replica_set"],
            Self::S3 => &["addressing", "region"],
            Self::Swift => &["auth_path", "project", "project_domain", "region", "user_domain"],
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
    /// What holds data: a database that no other account of ocim may use, a bucket of S3, or a container of Swift.
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
/// The name of a bucket or container that is publicly readable. All others are for their account only.
pub const PUBLIC: &str = "public";

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
}
