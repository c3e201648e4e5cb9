//! Backups of what an instance has outside its machines.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{BackupId, InstanceId};
use crate::operations::Rollback;
use crate::resource::ResourceKind;

/// The state of a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// It is being written, or waits for that.
    Writing,
    /// It is complete.
    Complete,
    /// It could not be written; nothing of it is left.
    Failed,
}

/// Why a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum BackupReason {
    /// A person or a program asked for it. It is kept until one asks for its deletion.
    Requested,
    /// The schedule of the settings asked for it. The newest ones are kept.
    Scheduled,
    /// A build was about to migrate the databases. It is kept for some days, and while what became of the migration is open.
    Migration,
}

/// What is being done with a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum BackupWork {
    /// It is written.
    Write,
    /// It is loaded into databases that are made for this, looked at, and deleted; copies of objects are decrypted and compared.
    Verify,
    /// It replaces the databases of an instance, and writes objects of its buckets back.
    Restore,
    /// It is deleted.
    Delete,
}

/// The copy of one database or bucket within a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupPiece {
    /// The kind of its server.
    pub kind: ResourceKind,
    /// The name that the application knows the database or the bucket by.
    #[schema(example = "main")]
    pub name: String,
    /// The size of a database's file in bytes, compressed and encrypted; of a bucket, the sum of its objects' sizes at the store.
    #[schema(minimum = 0)]
    pub bytes: i64,
    /// How many objects of a bucket it has; null: it is a database.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub objects: Option<i64>,
    /// How many of the objects were read from the store for this backup; the others have not changed since an earlier one of the instance, and
    /// share its copies. Null: it is a database.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub copied: Option<i64>,
}

/// A backup of what an instance has outside its machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// The id; it is never used again.
    pub id: BackupId,
    /// The instance whose databases and buckets are in it.
    pub instance_id: InstanceId,
    /// Its state.
    pub state: BackupState,
    /// The state's name for people.
    #[schema(example = "Complete")]
    pub state_name: String,
    /// Why it was made.
    pub reason: BackupReason,
    /// What is being done with it, or waits to be done; null: nothing.
    pub work: Option<BackupWork>,
    /// How many bytes the present work has read or written so far, before compression.
    #[schema(minimum = 0)]
    pub work_bytes: i64,
    /// The databases and buckets in it; empty until it is complete.
    pub pieces: Vec<BackupPiece>,
    /// Why the last work on it failed, and what to do; null: it did not.
    pub trouble: Option<String>,
    /// Who asked for it.
    #[schema(example = "ada")]
    pub created_by: String,
    /// When it was asked for.
    pub created: DateTime<Utc>,
    /// When it was complete or had failed; null: not yet.
    pub ended: Option<DateTime<Utc>>,
    /// When it was last loaded into databases made for this, had all its tables, and its objects the right checksums; null: never.
    pub verified: Option<DateTime<Utc>>,
    /// When it last replaced the instance's databases, and its objects were written back; null: never.
    pub restored: Option<DateTime<Utc>>,
    /// The other instance whose databases it replaces, while that goes on; null: its own, or none.
    #[serde(default)]
    pub into_instance_id: Option<InstanceId>,
}

/// An instance's backups, and what can be done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceBackups {
    /// All of them, the newest first.
    pub items: Vec<Backup>,
    /// The backup of another instance that replaces the databases of this one, or waits for that; null: none does.
    #[serde(default)]
    pub incoming: Option<Backup>,
    /// What a backup contains now, in words: `MySQL database main`, `S3 bucket files`.
    #[schema(example = json!(["MySQL database main", "S3 bucket files"]))]
    pub contents: Vec<String>,
    /// What the instance has that is in no backup, with the reason: `Redis: what is there can be made anew`.
    #[schema(example = json!(["Redis database main: ocim makes no backups of Redis"]))]
    pub left_out: Vec<String>,
    /// Why no backup can be made, and what to do; null: one can.
    pub why_none: Option<String>,
    /// Why none can be restored or verified, and what to do; null: they can.
    pub why_no_restore: Option<String>,
    /// The hours between scheduled backups; null: there is no schedule.
    #[schema(minimum = 1)]
    pub every_hours: Option<u32>,
    /// How many scheduled backups are kept.
    #[schema(minimum = 1)]
    pub keep: u32,
}

/// The body of a request to replace an instance's databases by those of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreBackup {
    /// The name of the instance whose databases are replaced, as a confirmation.
    #[serde(default)]
    #[schema(example = "Demo")]
    pub confirm: String,
    /// Another instance of the same type that gets the data, and has mail and payments off from then on; null: the backup's own one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, example = 2)]
    pub into: Option<InstanceId>,
    /// Also rolls the instance back, for a backup from before a migration; left out: the active app server keeps the traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll_back: Option<Rollback>,
}

impl BackupState {
    /// Every state, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Writing, Self::Complete, Self::Failed];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Complete => "complete",
            Self::Failed => "failed",
        }
    }

    /// The name shown to people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Writing => "Being written",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
        }
    }

    /// The states that may follow. The database refuses any other change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Writing => &[Self::Complete, Self::Failed],
            Self::Complete | Self::Failed => &[],
        }
    }
}

impl BackupReason {
    /// Every reason, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Requested, Self::Scheduled, Self::Migration];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Scheduled => "scheduled",
            Self::Migration => "migration",
        }
    }
}

impl BackupWork {
    /// Every kind of work, in the order of declaration.
    pub const ALL: &[Self] = &[Self::Write, Self::Verify, Self::Restore, Self::Delete];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Verify => "verify",
            Self::Restore => "restore",
            Self::Delete => "delete",
        }
    }

    /// What is done, after “is being”.
    pub const fn participle(self) -> &'static str {
        match self {
            Self::Write => "written",
            Self::Verify => "verified",
            Self::Restore => "restored",
            Self::Delete => "deleted",
        }
    }
}
