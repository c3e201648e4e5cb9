//! How visitors by HTTP are treated.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How visitors by HTTP are treated where the gateways have a certificate of the host name. Elsewhere they are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum HttpsPolicy {
    /// They are sent to HTTPS.
    #[default]
    Redirect,
    /// They are served by HTTP.
    Optional,
    /// They are sent to HTTPS, and browsers are told to use nothing else for a year (HSTS, RFC 6797).
    Strict,
}

impl HttpsPolicy {
    /// Every policy.
    pub const ALL: &[Self] = &[Self::Redirect, Self::Optional, Self::Strict];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Optional => "optional",
            Self::Strict => "strict",
        }
    }
}
