//! What can be done with backups now. The server decides; this disables buttons in advance.

use shared_types::BackupId;
use shared_types::app_server::Possible;
use shared_types::backup::{Backup, BackupState, BackupWork, InstanceBackups};

/// The backup that is being written, verified or restored at the instance's databases, or waits for that; it may be another instance's.
/// There is one at a time; deletions, and restores into other instances, go on beside it.
pub fn at_work(all: &InstanceBackups) -> Option<&Backup> {
    let is_at_work = |one: &&Backup| {
        one.into_instance_id.is_none()
            && matches!(one.work, Some(BackupWork::Write | BackupWork::Verify | BackupWork::Restore))
    };
    all.items.iter().find(is_at_work).or(all.incoming.as_ref())
}

pub(super) fn can_back_up(all: &InstanceBackups) -> Possible {
    match &all.why_none {
        Some(_) => Possible::No("No backup can be made. The card says why, and what to do."),
        None => has_no_work(all),
    }
}

pub(super) fn can_restore(one: &Backup, all: &InstanceBackups, is_archived: bool) -> Possible {
    let is_in_use = match is_archived {
        true => Possible::No("The instance is archived. Restore the instance first."),
        false => Possible::Yes,
    };
    can_verify(one, all).and(is_in_use)
}

/// The same by the backup's number, of an instance that is not archived.
pub fn can_restore_now(id: BackupId, all: &InstanceBackups) -> Possible {
    match all.items.iter().find(|one| one.id == id) {
        Some(one) => can_restore(one, all, false),
        None => Possible::No("The backup is deleted."),
    }
}

pub(super) fn can_verify(one: &Backup, all: &InstanceBackups) -> Possible {
    let is_readable = match &all.why_no_restore {
        Some(_) => Possible::No("Backups cannot be restored or verified. The card says why, and what to do."),
        None => Possible::Yes,
    };
    is_complete(one).and(is_idle(one)).and(is_readable).and(has_no_work(all))
}

pub(super) fn can_delete(one: &Backup) -> Possible {
    is_idle(one)
}

const fn is_complete(one: &Backup) -> Possible {
    match one.state {
        BackupState::Writing => Possible::No("It is being written."),
        BackupState::Complete => Possible::Yes,
        BackupState::Failed => Possible::No("It failed: nothing of it is left."),
    }
}

const fn is_idle(one: &Backup) -> Possible {
    match one.work {
        None => Possible::Yes,
        Some(BackupWork::Write) => Possible::No("It is being written."),
        Some(BackupWork::Verify) => Possible::No("It is being verified."),
        Some(BackupWork::Restore) => Possible::No("It is being restored."),
        Some(BackupWork::Delete) => Possible::No("It is being deleted."),
    }
}

fn has_no_work(all: &InstanceBackups) -> Possible {
    match at_work(all).and_then(|one| one.work) {
        Some(BackupWork::Write) => Possible::No("A backup is being written."),
        Some(BackupWork::Verify) => Possible::No("A backup is being verified."),
        Some(BackupWork::Restore) => Possible::No("A backup is being restored."),
        Some(BackupWork::Delete) | None => Possible::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use chrono::DateTime;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// A complete backup, beside which this is being done with another one.
    fn beside(work: Option<BackupWork>) -> (Backup, InstanceBackups) {
        let complete = samples::complete(2, DateTime::default());
        let other = Backup { work, ..samples::complete(1, DateTime::default()) };
        let items = vec![complete.clone(), other];
        (complete, InstanceBackups { items, ..samples::possible() })
    }

    #[test]
    fn an_instance_has_one_work_at_a_time_and_deletions_beside_it() {
        for (work, is_possible) in [
            (None, true),
            (Some(BackupWork::Write), false),
            (Some(BackupWork::Verify), false),
            (Some(BackupWork::Restore), false),
            (Some(BackupWork::Delete), true),
        ] {
            let (complete, all) = beside(work);
            assert_eq!(can_back_up(&all) == Possible::Yes, is_possible, "{work:?}");
            assert_eq!(can_verify(&complete, &all) == Possible::Yes, is_possible, "{work:?}");
            assert_eq!(can_delete(&complete), Possible::Yes, "{work:?}");
            assert_eq!(at_work(&all).is_none(), is_possible, "{work:?}");
        }
    }

    #[test]
    fn only_a_complete_backup_that_nothing_is_done_with_is_read() {
        let (complete, all) = beside(None);
        for state in [BackupState::Writing, BackupState::Failed] {
            let one = Backup { state, ..complete.clone() };
            assert!(can_verify(&one, &all).why_not().is_some(), "{state:?}");
        }
        for work in BackupWork::ALL.iter().copied() {
            let one = Backup { work: Some(work), ..complete.clone() };
            assert!(can_verify(&one, &all).why_not().is_some(), "{work:?}");
            assert!(can_delete(&one).why_not().is_some(), "{work:?}");
        }
    }

    #[test]
    fn nothing_is_restored_where_the_instance_is_archived() {
        let (complete, all) = beside(None);
        assert_eq!(can_restore(&complete, &all, false), Possible::Yes);
        assert!(can_restore(&complete, &all, true).why_not().is_some());
        let (complete, all) = beside(Some(BackupWork::Verify));
        assert_eq!(can_restore(&complete, &all, false), Possible::No("A backup is being verified."));
        assert_eq!(can_restore_now(complete.id, &all), Possible::No("A backup is being verified."));
        assert_eq!(can_restore_now(BackupId(4711), &all), Possible::No("The backup is deleted."));
    }

    #[test]
    fn what_keeps_all_backups_from_being_made_or_read_does_not_keep_them_from_being_deleted() {
        let (complete, all) = beside(None);
        let nowhere = InstanceBackups { why_none: Some("Set a directory.".into()), ..all.clone() };
        assert!(can_back_up(&nowhere).why_not().is_some());
        assert_eq!(can_verify(&complete, &nowhere), Possible::Yes);
        let without_key = InstanceBackups { why_no_restore: Some("Name the key.".into()), ..all };
        assert!(can_verify(&complete, &without_key).why_not().is_some());
        assert_eq!((can_back_up(&without_key), can_delete(&complete)), (Possible::Yes, Possible::Yes));
    }
}
