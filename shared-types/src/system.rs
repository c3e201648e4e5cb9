//! The state of the system: its parts, and whether they answer.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
}
