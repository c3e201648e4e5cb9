//! An instance whose data is a copy of another one's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{BackupId, InstanceId};

/// That the data of an instance is a copy of another one's, and whether its app servers may mail people and take payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceCopy {
    /// The instance whose data it is.
    pub instance_id: InstanceId,
    /// Its name.
    #[schema(example = "Astronomy Academy")]
    pub instance_name: String,
    /// The backup that was restored; it may be deleted since.
    pub backup_id: BackupId,
    /// When the data were so: when the backup was asked for.
    pub data_at: DateTime<Utc>,
    /// Who asked for the copy.
    #[schema(example = "ada")]
    pub asked_by: String,
    /// When the copy was asked for.
    pub asked_at: DateTime<Utc>,
    /// When its data began to arrive; null: not yet.
    pub replaced_at: Option<DateTime<Utc>>,
    /// Whether app servers that are launched have mail and payments off.
    pub is_neutralised: bool,
}

impl InstanceCopy {
    /// What people must know before they use or launch app servers; `at`: in words, when the data were so.
    pub fn words(&self, at: &str) -> String {
        let Self { instance_name, is_neutralised, .. } = self;
        match is_neutralised {
            true => format!("Mail and payments are off, because its data is a copy of {instance_name} as of {at}."),
            false => format!(
                "Its data is a copy of {instance_name} as of {at}. New app servers mail people and take payments."
            ),
        }
    }
}
