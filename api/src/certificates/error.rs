//! Why a step was not done.

use chrono::{DateTime, Utc};

use super::authority::AuthorityError;
use crate::platform::db::DbError;

/// Why a step was not done. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The authority did not do it.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The order has failed, or cannot be continued.
    #[error("{0}")]
    Failed(String),
    /// A limit is kept until then.
    #[error("{words}")]
    Limit { words: String, until: DateTime<Utc> },
    /// A statement failed. The claim runs out, and the step is repeated.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for StepError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}
