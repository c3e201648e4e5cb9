//! Builds that migrate databases, in every state, for tests and for the design page.

use chrono::{DateTime, Utc};
use shared_types::migration::{Migration, MigrationState, NextMigration};
use shared_types::{AppServerId, BackupId};

/// A build in this state, whose snapshot was taken at this time.
pub fn migration(state: MigrationState, at: DateTime<Utc>) -> Migration {
    let trouble = (state == MigrationState::NeedsPerson).then(|| {
        "Visitors could write meanwhile, because the launch asked for no maintenance page. Restore the snapshot, or repair the databases; \
         then dismiss this."
            .to_owned()
    });
    Migration {
        app_server_id: AppServerId(2),
        app_server_name: "AppServer 2".to_owned(),
        from: "release 1".to_owned(),
        to: "release 2".to_owned(),
        state,
        has_page: trouble.is_none(),
        is_page_up: trouble.is_none(),
        backup_id: Some(BackupId(3)),
        snapshot_at: Some(at),
        trouble,
    }
}

/// A launch that takes a snapshot before.
pub fn next() -> NextMigration {
    NextMigration {
        from: "release 1".to_owned(),
        to: "release 2".to_owned(),
        contents: vec!["MySQL database main".to_owned(), "PostgreSQL database forum".to_owned()],
        left_out: vec!["Redis database main: ocim makes no backups of Redis".to_owned()],
        why_no_snapshot: None,
    }
}
