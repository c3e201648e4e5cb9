//! The audit trail: who did what, from where, and what was refused.

mod actor;
mod operation;

pub use actor::Actor;
pub use operation::{Operation, UnknownOperation};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::ids::{ActivityId, AppServerId, InstanceId, TokenId, UserId};

/// Whether an action was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The action was done.
    Done,
    /// It was not allowed, not possible or not valid.
    Refused,
}

impl Outcome {
    /// Both outcomes, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Done, Self::Refused];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// One action that a user, a token or the program did, or that was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// The id; later entries have higher ones.
    pub id: ActivityId,
    /// When the action was done or refused.
    pub at: DateTime<Utc>,
    /// The name of the user or of the part of the program that acted; with the token's name if one was used.
    #[schema(example = "admin")]
    pub actor: String,
    /// The user; null for a request without a signed-in user, and for the program itself.
    pub user_id: Option<UserId>,
    /// The API token that was used; null if none was.
    pub token_id: Option<TokenId>,
    /// The address that the request came from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// The id of the request, as in the log.
    pub request_id: Option<String>,
    /// The action, by the operation's name.
    #[schema(example = "launch_app_server")]
    // A text and no `Operation`: another version of the program may have written it.
    pub action: String,
    /// Whether the action was done.
    pub outcome: Outcome,
    /// The instance it was done to.
    pub instance_id: Option<InstanceId>,
    /// The app server it was done to.
    pub app_server_id: Option<AppServerId>,
    /// The reason that was given; of a refusal, the problem's detail.
    pub reason: Option<String>,
    /// The changed values before the action; secrets are masked.
    pub before: Option<Value>,
    /// The changed values after the action; secrets are masked.
    pub after: Option<Value>,
    /// Further facts about the action.
    pub detail: Value,
}
