//! The machine of an app server.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, ServerId};

/// The life of a machine. Ids and descriptions are the original's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum ServerStatus {
    /// Not asked for yet.
    Pending,
    /// The provider makes it.
    Building,
    /// It starts, or starts again.
    Booting,
    /// It answers SSH.
    Ready,
    /// Gone for good.
    Terminated,
    /// The provider does not answer, so nobody knows.
    Unknown,
    /// The provider could not make it.
    Failed,
}

impl ServerStatus {
    /// Every status, in the order of a machine's life.
    pub const ALL: &[Self] =
        &[Self::Pending, Self::Building, Self::Booting, Self::Ready, Self::Terminated, Self::Unknown, Self::Failed];

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

    /// What a person reads.
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

    /// The sentence behind the name.
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

    /// The statuses that may follow. Any other move is refused here and by the database.
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

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Server {
    /// Its id.
    pub id: ServerId,
    /// Its path.
    #[schema(example = "/api/v1/servers/1")]
    pub api_url: String,
    /// The app server that owns it.
    pub app_server_id: AppServerId,
    /// Its name at the provider.
    #[schema(example = "edxapp-demo-1")]
    pub name: String,
    /// Who makes it: `local` or `openstack`.
    #[schema(example = "local")]
    pub provider: String,
    /// What the provider calls it; null before it is made.
    pub provider_id: Option<String>,
    /// Its status.
    pub status: ServerStatus,
    /// The status as a person reads it.
    pub status_name: String,
    /// The sentence behind the status.
    pub status_description: String,
    /// Its address; null before it has one.
    #[schema(example = "10.213.0.2")]
    pub public_ip: Option<String>,
    /// When it was wanted.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
}
