//! The machine of an app server.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, ServerId};
use crate::ssh_access::SshLogin;

/// The status of a machine. Ids and descriptions are the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// Not yet requested from the provider.
    Pending,
    /// The provider is creating it.
    Building,
    /// It starts, or restarts.
    Booting,
    /// The machine answers SSH.
    Ready,
    /// Deleted; no other status follows.
    Terminated,
    /// The provider does not answer, so the state is not known.
    Unknown,
    /// The provider could not create it.
    Failed,
}

impl ServerStatus {
    /// Every status, in the order of a machine's life.
    pub const ALL: &[Self] =
        &[Self::Pending, Self::Building, Self::Booting, Self::Ready, Self::Terminated, Self::Unknown, Self::Failed];

    /// Statuses in which the provider has no such machine.
    pub const ABSENT: &[Self] = &[Self::Pending, Self::Terminated];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Building => "building",
            Self::Booting => "booting",
            Self::Ready => "ready",
            Self::Terminated => "terminated",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Building => "Building",
            Self::Booting => "Booting",
            Self::Ready => "Ready",
            Self::Terminated => "Terminated",
            Self::Unknown => "Unknown",
            Self::Failed => "Build failed",
        }
    }

    /// The status explained in a sentence.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Pending => "Not yet loaded (need to request new VM)",
            Self::Building => "Building new VM from image",
            Self::Booting => "(Re-)Booting",
            Self::Ready => "Booted and ready",
            Self::Terminated => "Stopped forever",
            Self::Unknown => "The provider's API is not responsive",
            Self::Failed => "The provider failed to create the VM",
        }
    }

    /// The statuses that may follow. Rust code and the database refuse any other change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Pending => &[Self::Building, Self::Terminated],
            Self::Building => &[Self::Booting, Self::Failed, Self::Unknown, Self::Terminated],
            Self::Booting => &[Self::Ready, Self::Unknown, Self::Terminated],
            Self::Ready => &[Self::Booting, Self::Unknown, Self::Terminated],
            Self::Unknown => &[Self::Building, Self::Booting, Self::Ready, Self::Terminated],
            Self::Failed => &[Self::Terminated],
            Self::Terminated => &[],
        }
    }

    /// Whether `to` may follow this status.
    pub fn can_become(self, to: Self) -> bool {
        self.next().contains(&to)
    }
}

/// The kind of machines that app servers run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Machines on this host, run by ocim itself.
    Local,
    /// Servers of an OpenStack cloud.
    #[serde(rename = "openstack")]
    OpenStack,
    /// No machines: they are files, and playbooks only print. For trying the API, and for tests.
    Fake,
    /// Machines of any cloud, through a program of the operator's.
    Command,
    /// Containers of Docker or Podman on this host.
    Containers,
}

impl ProviderKind {
    /// Every kind, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Local, Self::OpenStack, Self::Fake, Self::Command, Self::Containers];

    /// The word in settings and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OpenStack => "openstack",
            Self::Fake => "fake",
            Self::Command => "command",
            Self::Containers => "containers",
        }
    }
}

/// The name of a provider: that of its table in the settings file, or of one without a table, which is the word of its kind.
/// 1 to 32 small letters, digits and hyphens, the first a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName(pub(crate) String);

impl ProviderName {
    /// The most characters of a name.
    pub const MAX: usize = 32;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProviderName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        match begins_well && text.len() <= Self::MAX && text.chars().all(is_inner) {
            true => Ok(Self(text)),
            false => Err(format!(
                "A provider's name has 1 to {} small letters, digits and hyphens, the first a letter.",
                Self::MAX
            )),
        }
    }
}

impl std::str::FromStr for ProviderName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.to_owned().try_into()
    }
}

impl From<ProviderName> for String {
    fn from(ProviderName(name): ProviderName) -> Self {
        name
    }
}

impl From<ProviderKind> for ProviderName {
    fn from(kind: ProviderKind) -> Self {
        Self(kind.as_str().to_owned())
    }
}

impl std::fmt::Display for ProviderName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The machine of an app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Server {
    /// The id, unique over all providers.
    pub id: ServerId,
    /// The path of the whole resource.
    #[schema(example = "/api/v1/servers/1")]
    pub api_url: String,
    /// The app server that owns it.
    pub app_server_id: AppServerId,
    /// Its name at the provider.
    #[schema(example = "demo-1")]
    pub name: String,
    /// The name of the provider that creates it; without a table in the settings it is the kind: `local` or `openstack`.
    #[schema(value_type = String, example = "local")]
    pub provider: ProviderName,
    /// The provider's id of it; null before it is created.
    pub provider_id: Option<String>,
    /// The status, as last recorded.
    pub status: ServerStatus,
    /// The status as a person reads it.
    pub status_name: String,
    /// The status explained in a sentence.
    pub status_description: String,
    /// Its IP address; null before it has one.
    #[schema(example = "10.213.0.2")]
    pub public_ip: Option<String>,
    /// What it booted first, in the provider's words; null if the provider does not tell, or has not created it yet.
    #[serde(default)]
    #[schema(example = "ubuntu-24.04")]
    pub image: Option<String>,
    /// Its size, in the provider's words; null if the provider does not tell, or has not created it yet.
    #[serde(default)]
    #[schema(example = "m1.small")]
    pub flavor: Option<String>,
    /// How to log in to it; null for those who may not, before it has an address, and once it has ended.
    #[serde(default)]
    pub ssh: Option<SshLogin>,
    /// When it was recorded as `pending`.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
}
