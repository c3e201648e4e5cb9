//! Backups in every state, for tests and for the design page.

use chrono::{DateTime, TimeDelta, Utc};
use shared_types::backup::{Backup, BackupPiece, BackupReason, BackupState, BackupWork, InstanceBackups};
use shared_types::{BackupId, InstanceId, ResourceKind};

fn database(kind: ResourceKind, name: &str, bytes: i64) -> BackupPiece {
    BackupPiece { kind, name: name.to_owned(), bytes, objects: None, copied: None }
}

/// A complete backup with a bucket.
pub fn with_bucket(id: i64, created: DateTime<Utc>) -> Backup {
    let mut one = complete(id, created);
    let piece = database(ResourceKind::S3, "files", 310_000_000);
    one.pieces.push(BackupPiece { objects: Some(1240), copied: Some(3), ..piece });
    one
}

/// A complete backup, which was asked for at this time.
pub fn complete(id: i64, created: DateTime<Utc>) -> Backup {
    Backup {
        id: BackupId(id),
        instance_id: InstanceId(7),
        state: BackupState::Complete,
        state_name: BackupState::Complete.name().into(),
        reason: BackupReason::Requested,
        work: None,
        work_bytes: 0,
        pieces: vec![
            database(ResourceKind::Mysql, "main", 300_000_000),
            database(ResourceKind::Postgresql, "forum", 12_000_000),
        ],
        trouble: None,
        created_by: "ada".into(),
        created,
        ended: Some(created + TimeDelta::minutes(2)),
        verified: None,
        restored: None,
        into_instance_id: None,
    }
}

/// An instance without backups, whose databases can be backed up and restored.
pub fn possible() -> InstanceBackups {
    InstanceBackups {
        items: Vec::new(),
        incoming: None,
        contents: vec!["MySQL database main".into(), "PostgreSQL database forum".into(), "S3 bucket files".into()],
        left_out: vec!["Redis database main: ocim makes no backups of Redis".into()],
        why_none: None,
        why_no_restore: None,
        every_hours: None,
        keep: 7,
    }
}

/// Two complete backups of a daily schedule, with which nothing is done.
pub fn idle(now: DateTime<Utc>) -> InstanceBackups {
    let at = |id, hours| complete(id, now - TimeDelta::hours(hours));
    let verified = Some(now - TimeDelta::hours(2));
    let newest = with_bucket(2, now - TimeDelta::hours(3));
    let items = vec![Backup { verified, reason: BackupReason::Scheduled, ..newest }, at(1, 50)];
    InstanceBackups { items, every_hours: Some(24), ..possible() }
}

/// A backup in each state, with each work, the newest first.
pub fn every_state(now: DateTime<Utc>) -> InstanceBackups {
    let at = |id, hours| complete(id, now - TimeDelta::hours(hours));
    let scheduled = |one| Backup { reason: BackupReason::Scheduled, created_by: "ocim".into(), ..one };
    let working = |one, work, work_bytes| Backup { work: Some(work), work_bytes, ..one };
    let unwritten = |one, state: BackupState| Backup {
        state,
        state_name: state.name().into(),
        pieces: Vec::new(),
        ended: None,
        ..one
    };
    let writing = |one, bytes| working(unwritten(one, BackupState::Writing), BackupWork::Write, bytes);
    let (verified, restored) = (Some(now - TimeDelta::hours(5)), Some(now - TimeDelta::minutes(30)));
    let trouble = Some("The disk of the backups is full: free some space, and back up again.".to_owned());
    let damaged = Some("The file of MySQL main is cut off: delete this backup, and restore another one.".to_owned());
    let items = vec![
        writing(at(9, 0), 0),
        writing(at(8, 1), 48_000_000),
        Backup { trouble, ..unwritten(scheduled(at(7, 3)), BackupState::Failed) },
        working(at(6, 4), BackupWork::Verify, 120_000_000),
        working(at(5, 6), BackupWork::Restore, 1_200_000_000),
        working(at(4, 9), BackupWork::Delete, 0),
        Backup { verified, restored, ..scheduled(at(3, 27)) },
        Backup { trouble: damaged, ..at(2, 80) },
        scheduled(at(1, 500)),
    ];
    InstanceBackups { items, every_hours: Some(24), ..possible() }
}
