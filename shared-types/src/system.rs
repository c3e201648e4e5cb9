//! How the system is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the program consists of and depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemPart {
    /// The database of this program.
    Database,
    /// Who makes machines.
    Provider,
    /// What visitors of the instances come through.
    Gateway,
    /// The worker of the process that was asked.
    Worker,
    /// The checks of all active app servers, by whichever process makes them.
    Checks,
    /// Mail about builds that failed.
    Mail,
    /// The keys that secrets are encrypted with.
    SecretKeys,
    /// Pull requests, and signing in there.
    Github,
    /// Signing in at an OpenID Connect provider.
    Oidc,
    /// Databases of instances outside of their machines.
    Databases,
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
        }
    }
}

/// How one part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemCheck {
    /// Which part.
    pub name: SystemPart,
    /// Whether the settings name it.
    pub is_configured: bool,
    /// Whether it answers; null where it is not asked.
    pub is_ok: Option<bool>,
    /// Which one it is, or what it means that there is none.
    pub detail: String,
    /// Why it last did not answer since the program was started, without what says where things are; null: it always did.
    pub last_error: Option<String>,
    /// When it was last asked; null where it is not.
    pub checked_at: Option<DateTime<Utc>>,
    /// Since when it has not answered; null where it does, or is not asked.
    pub since: Option<DateTime<Utc>>,
}

/// How the system is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SystemState {
    /// The program's version.
    #[schema(example = "0.1.0")]
    pub version: String,
    /// When the process that was asked was started.
    pub started: DateTime<Utc>,
    /// Each part.
    pub checks: Vec<SystemCheck>,
}
