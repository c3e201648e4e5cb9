//! The audit trail: who did what, from where, and what was refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::ids::{ActivityId, AppServerId, InstanceId, TokenId, UserId};

/// Whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was.
    Done,
    /// It was not allowed, not possible or not valid.
    Refused,
}

impl Outcome {
    /// Both.
    pub const ALL: &[Self] = &[Self::Done, Self::Refused];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// One thing that somebody did, or was not let do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Activity {
    /// The id.
    pub id: ActivityId,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, by name; with the token's name where one was used.
    #[schema(example = "admin")]
    pub actor: String,
    /// The user; none: nobody who is signed in, or the program itself.
    pub user_id: Option<UserId>,
    /// The API token that was used.
    pub token_id: Option<TokenId>,
    /// Where the request came from.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// The request, as in the log.
    pub request_id: Option<String>,
    /// What, by the operation's name.
    #[schema(example = "launch_app_server")]
    pub action: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// The instance it was done to.
    pub instance_id: Option<InstanceId>,
    /// The app server it was done to.
    pub app_server_id: Option<AppServerId>,
    /// Why, in their words; of a refusal, the problem's.
    pub reason: Option<String>,
    /// What was changed, as it was; secrets hidden.
    pub before: Option<Value>,
    /// The same as it is since.
    pub after: Option<Value>,
    /// What else there is to know.
    pub detail: Value,
}
