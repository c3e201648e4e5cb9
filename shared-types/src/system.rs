//! The state of the system: its parts, and whether they answer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::gateway::Gateway;
use crate::resource::{ResourceKind, ResourceServerName};
use crate::server::{ProviderKind, ProviderName};

/// The parts of the program and what it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemPart {
    /// The database of this program.
    Database,
    /// The provider that creates machines.
    Provider,
    /// The gateway, which the visitors of all instances come through.
    Gateway,
    /// The worker of the process that answers this request.
    Worker,
    /// The checks of all active app servers, by any process.
    Checks,
    /// Mail about builds that failed.
    Mail,
    /// The keys that secrets are encrypted with.
    SecretKeys,
    /// GitHub, for pull requests and sign-in.
    Github,
    /// The OpenID Connect provider, for sign-in.
    Oidc,
    /// Databases of instances outside of their machines.
    Databases,
    /// Who writes the records of host names in the DNS.
    Dns,
}

impl SystemPart {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Provider => "provider",
            Self::Gateway => "gateway",
            Self::Worker => "worker",
            Self::Checks => "checks",
            Self::Mail => "mail",
            Self::SecretKeys => "secret_keys",
            Self::Github => "github",
            Self::Oidc => "oidc",
            Self::Databases => "databases",
            Self::Dns => "dns",
        }
    }
}

/// The state of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemCheck {
    /// The part that this is about.
    pub name: SystemPart,
    /// Whether the settings name it.
    pub is_configured: bool,
    /// Whether it answers; null if it is not checked.
    pub is_ok: Option<bool>,
    /// Which one is configured, or what it means that none is.
    pub detail: String,
    /// Its last error since the program was started, without addresses; null if there was none.
    pub last_error: Option<String>,
    /// When it was last checked; null if it is not.
    pub checked_at: Option<DateTime<Utc>>,
    /// Since when it has not answered; null if it answers, or is not checked.
    pub since: Option<DateTime<Utc>>,
}

/// What stands between this program and the foreign code that it runs: git, pip and Ansible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SandboxLevel {
    /// Every protection works.
    Full,
    /// The walls stand, but some limit cannot be set on this host.
    Partial,
    /// The host has no sandbox; builds are refused.
    Missing,
    /// The setting `OCIM_SANDBOX=none` turns the sandbox off: foreign code runs as this program's user.
    Off,
}

/// One protection of the sandbox, and whether it works on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Protection {
    /// What it holds back.
    #[schema(example = "network")]
    pub name: String,
    /// Whether it works on this host.
    pub is_active: bool,
    /// How it works here; else what is lost, and how to get it.
    #[schema(example = "pasta: public addresses only")]
    pub detail: String,
}

/// The sandbox of the process that answers the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SandboxState {
    /// How much of it works.
    pub level: SandboxLevel,
    /// Each protection.
    pub protections: Vec<Protection>,
}

/// A setting that takes a protection away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenedWall {
    /// The setting's name.
    #[schema(example = "OCIM_SANDBOX")]
    pub setting: String,
    /// What it opens.
    pub effect: String,
}

/// What a provider's machines have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderOffer {
    /// Whether each has a kernel of its own, so that containers run in it.
    pub has_own_kernel: bool,
    /// The most memory in MB; null: not known, or not limited.
    pub memory_mb: Option<u32>,
    /// The most disk in GB; null: not known, or not limited.
    pub disk_gb: Option<u32>,
}

/// A provider of machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderState {
    /// Its name, which instances choose it by.
    #[schema(value_type = String, example = "frankfurt")]
    pub name: ProviderName,
    /// The kind of its machines; null: the settings do not have it, and it has machines.
    pub kind: Option<ProviderKind>,
    /// Whether instances that choose none have their machines there.
    pub is_default: bool,
    /// Whether it answers; null if the settings do not have it.
    pub is_ok: Option<bool>,
    /// Why it does not answer, without addresses; null if it does.
    pub last_error: Option<String>,
    /// How many machines it has; not those of builds that wait in the queue.
    #[schema(minimum = 0)]
    pub machines: i64,
    /// The most machines that it may have at a time; null: not limited by the settings.
    pub budget: Option<u32>,
    /// What builds wait for before they begin there; null if they need not wait.
    #[schema(example = "waiting for quota: 20 of 20 machines of frankfurt")]
    pub quota: Option<String>,
    /// What its machines have; null if the settings do not have it.
    pub offers: Option<ProviderOffer>,
}

/// A server where instances have databases outside their machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResourceServerState {
    /// Its name, which instances choose it by.
    pub name: ResourceServerName,
    /// Its kind; null: the settings do not have it, and instances have databases there.
    pub kind: Option<ResourceKind>,
    /// Whether instances that choose none get it.
    pub is_default: bool,
    /// Whether only one instance may use it.
    pub is_exclusive: bool,
    /// Whether it answers; null if the settings do not have it.
    pub is_ok: Option<bool>,
    /// Why it does not answer, without addresses; null if it does.
    pub last_error: Option<String>,
    /// How many instances have an account there.
    #[schema(minimum = 0)]
    pub instances: i64,
    /// How many databases they have there.
    #[schema(minimum = 0)]
    pub databases: i64,
    /// The most databases that it has; null: as many as are asked for.
    pub most_databases: Option<u32>,
    /// Accounts and databases there with this installation's prefix that no instance has, the first 20 of each. ocim deletes
    /// none of them.
    pub unowned: Vec<String>,
    /// Accounts and databases that it had and has no more, the first 20 of each.
    pub missing: Vec<String>,
}

/// The state of the whole system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemState {
    /// The version of the program.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// When the process that was asked was started.
    pub started: DateTime<Utc>,
    /// The state of each part.
    pub checks: Vec<SystemCheck>,
    /// The sandbox around foreign code; null if this process runs none, as with the provider `fake`.
    #[serde(default)]
    pub sandbox: Option<SandboxState>,
    /// The providers of machines, the default one first; then those that have machines and are not in the settings.
    #[serde(default)]
    pub providers: Vec<ProviderState>,
    /// The servers of databases outside the machines, by name; then those that have some and are not in the settings.
    #[serde(default)]
    pub resource_servers: Vec<ResourceServerState>,
    /// The gateways with an agent, by name; empty if the server runs its gateway itself.
    #[serde(default)]
    pub gateways: Vec<Gateway>,
    /// The protections around each machine that the providers of this process make; empty if they know of none.
    #[serde(default)]
    pub machine_protections: Vec<Protection>,
    /// The settings that take a protection away.
    #[serde(default)]
    pub opened_walls: Vec<OpenedWall>,
}
