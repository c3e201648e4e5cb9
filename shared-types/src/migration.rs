//! Builds that change the schema of databases outside the machines, and the snapshot that is taken before.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{AppServerId, BackupId};
use crate::instance::Instance;

/// How far a build that migrates databases has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "orm", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "orm", diesel(sql_type = diesel::sql_types::Text))]
#[serde(rename_all = "snake_case")]
pub enum MigrationState {
    /// The build has not come to the databases yet.
    Planned,
    /// The snapshot is being taken. The databases are as they were.
    Snapshot,
    /// The playbooks have begun, which may change the databases at any moment until the build is over.
    Migrating,
    /// The build succeeded.
    Done,
    /// The build ended before the playbooks began. The databases are as they were.
    Abandoned,
    /// The build failed, and the snapshot is being restored, or waits until the machine of the build is deleted.
    Restoring,
    /// The databases are as they were before the build.
    Restored,
    /// The build failed, and a person must decide what becomes of the databases.
    NeedsPerson,
    /// A person has taken note of it.
    Dismissed,
}

impl MigrationState {
    /// Every state, in the order of declaration.
    pub const ALL: &[Self] = &[
        Self::Planned,
        Self::Snapshot,
        Self::Migrating,
        Self::Done,
        Self::Abandoned,
        Self::Restoring,
        Self::Restored,
        Self::NeedsPerson,
        Self::Dismissed,
    ];
    /// Those of builds that use the databases, or are about to. An instance has one such build at a time.
    pub const OPEN: &[Self] = &[Self::Planned, Self::Snapshot, Self::Migrating, Self::Restoring];

    /// The word in JSON and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Snapshot => "snapshot",
            Self::Migrating => "migrating",
            Self::Done => "done",
            Self::Abandoned => "abandoned",
            Self::Restoring => "restoring",
            Self::Restored => "restored",
            Self::NeedsPerson => "needs_person",
            Self::Dismissed => "dismissed",
        }
    }

    /// The states that may follow. The database refuses any other change.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Planned => &[Self::Snapshot, Self::Abandoned],
            Self::Snapshot => &[Self::Migrating, Self::Abandoned],
            Self::Migrating => &[Self::Done, Self::Restoring, Self::NeedsPerson],
            Self::Restoring => &[Self::Restored, Self::NeedsPerson],
            Self::Done => &[Self::Restored],
            Self::NeedsPerson => &[Self::Restored, Self::Dismissed],
            Self::Restored => &[Self::Dismissed],
            Self::Abandoned | Self::Dismissed => &[],
        }
    }

    /// Whether it waits for a person to take note of it.
    pub const fn can_be_dismissed(self) -> bool {
        matches!(self, Self::NeedsPerson | Self::Restored)
    }
}

/// What a launch with the present settings would change in the databases outside the machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextMigration {
    /// The release of the app server that last used the databases, in words.
    #[schema(example = "release 1")]
    pub from: String,
    /// The release of the settings, in words.
    #[schema(example = "release 2")]
    pub to: String,
    /// What the snapshot contains, in words.
    #[schema(example = json!(["MySQL database main"]))]
    pub contents: Vec<String>,
    /// What the instance has that is not in the snapshot, with the reason.
    #[schema(example = json!(["Redis database main: ocim makes no backups of Redis"]))]
    pub left_out: Vec<String>,
    /// Why no snapshot can be taken, and what to do; the build then goes on without one. Null: one is taken.
    pub why_no_snapshot: Option<String>,
}

/// A build that migrates databases, and its snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Migration {
    /// The app server whose build it is.
    pub app_server_id: AppServerId,
    /// The app server's name.
    #[schema(example = "AppServer 2")]
    pub app_server_name: String,
    /// The release of the app server that used the databases before, in words.
    #[schema(example = "release 1")]
    pub from: String,
    /// The release of this app server, in words.
    #[schema(example = "release 2")]
    pub to: String,
    /// How far it has come.
    pub state: MigrationState,
    /// Whether visitors get the maintenance page meanwhile.
    pub has_page: bool,
    /// Whether the page that the build has put up is up now.
    pub is_page_up: bool,
    /// The snapshot; null: not taken yet, or deleted.
    pub backup_id: Option<BackupId>,
    /// When the snapshot was asked for: a restore loses what was written later. Null: not yet.
    pub snapshot_at: Option<DateTime<Utc>>,
    /// Why a person is needed, in words; null: no person is.
    pub trouble: Option<String>,
}

impl Migration {
    /// What its banner says after the name of the app server, as whole sentences; none: it has no banner.
    pub fn words(&self) -> Option<String> {
        let Self { from, to, .. } = self;
        Some(match self.state {
            MigrationState::Snapshot => {
                format!("migrates the databases from {from} to {to}; the snapshot is being taken.")
            }
            MigrationState::Migrating => format!("migrates the databases from {from} to {to}."),
            MigrationState::Restoring => {
                "failed after it began to migrate the databases; its machine is deleted, and the snapshot restored."
                    .to_owned()
            }
            MigrationState::Restored => {
                format!(
                    "migrated the databases to {to}, which was undone: they are as they were when the snapshot was taken."
                )
            }
            MigrationState::NeedsPerson => {
                let why = self.trouble.as_deref().unwrap_or("The databases may be half migrated.");
                format!("failed while it migrated the databases to {to}. {why}")
            }
            MigrationState::Done if self.is_page_up => {
                format!(
                    "has migrated the databases to {to}; activate it, which takes the maintenance page down, or restore the snapshot to go back."
                )
            }
            MigrationState::Planned | MigrationState::Done | MigrationState::Abandoned | MigrationState::Dismissed => {
                return None;
            }
        })
    }
}

impl Instance {
    /// The migration that people must know of: one that needs a person, or else the newest if it has a banner.
    pub fn migration_to_show(&self) -> Option<&Migration> {
        to_show(&self.migrations)
    }

    /// The first migration after the databases were last used by the release of `target`: a rollback to it does not undo that one. None:
    /// the databases were not migrated since.
    pub fn migration_after(&self, target: AppServerId) -> Option<&Migration> {
        first_after(&self.migrations, target)
    }
}

fn to_show(newest_first: &[Migration]) -> Option<&Migration> {
    let of_person = newest_first.iter().find(|one| one.state == MigrationState::NeedsPerson);
    of_person.or(newest_first.first()).filter(|one| one.words().is_some())
}

fn first_after(newest_first: &[Migration], target: AppServerId) -> Option<&Migration> {
    newest_first.iter().rev().find(|one| one.state == MigrationState::Done && one.app_server_id > target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_word_is_the_one_in_json() {
        for state in MigrationState::ALL {
            assert_eq!(serde_json::json!(state), state.as_str());
        }
    }

    fn migration(state: MigrationState, is_page_up: bool) -> Migration {
        Migration {
            app_server_id: AppServerId(2),
            app_server_name: "AppServer 2".to_owned(),
            from: "1".to_owned(),
            to: "2".to_owned(),
            state,
            has_page: true,
            is_page_up,
            backup_id: None,
            snapshot_at: None,
            trouble: None,
        }
    }

    #[test]
    fn one_that_needs_a_person_is_shown_before_newer_ones() {
        let at = |id, state| Migration { app_server_id: AppServerId(id), ..migration(state, true) };
        let (newer, older) = (at(4, MigrationState::Done), at(2, MigrationState::NeedsPerson));
        assert_eq!(to_show(&[newer.clone(), older.clone()]), Some(&older));
        assert_eq!(to_show(&[newer.clone(), at(2, MigrationState::Restored)]), Some(&newer));
        assert_eq!(to_show(&[]), None);
    }

    #[test]
    fn a_rollback_crosses_the_first_migration_after_its_target() {
        let at = |id, state| Migration { app_server_id: AppServerId(id), ..migration(state, false) };
        let all = [at(7, MigrationState::Done), at(5, MigrationState::Done), at(3, MigrationState::Restored)];
        let crossed = |target| first_after(&all, AppServerId(target)).map(|one| one.app_server_id.0);
        assert_eq!([1, 4, 5, 6, 7].map(crossed), [Some(5), Some(5), Some(7), Some(7), None]);
    }

    #[test]
    fn a_success_has_a_banner_while_its_page_is_up() {
        assert!(migration(MigrationState::Done, true).words().is_some());
        assert_eq!(migration(MigrationState::Done, false).words(), None);
    }
}
