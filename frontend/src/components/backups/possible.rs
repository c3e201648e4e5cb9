//! What can be done with backups now. The server decides; this disables buttons in advance.

use shared_types::app_server::Possible;
use shared_types::backup::{Backup, BackupState, BackupWork, InstanceBackups};

/// Whether one is being written, or waits for that.
pub fn is_written(all: &InstanceBackups) -> bool {
    is_at(all, BackupWork::Write)
}

pub(super) fn can_back_up(all: &InstanceBackups) -> Possible {
    if all.why_none.is_some() {
        return Possible::No("No backup can be made here. The card says why, and what to do.");
    }
    if is_at(all, BackupWork::Restore) {
        return Possible::No("The databases are being replaced by a backup.");
    }
    if is_written(all) { Possible::No("A backup is being written.") } else { Possible::Yes }
}

pub(super) fn can_verify(one: &Backup, all: &InstanceBackups) -> Possible {
    let is_readable = match all.why_no_restore {
        Some(_) => Possible::No("Backups cannot be read here. The card says why, and what to do."),
        None => Possible::Yes,
    };
    is_complete(one).and(is_idle(one)).and(is_readable)
}

pub(super) fn can_restore(one: &Backup, all: &InstanceBackups) -> Possible {
    let are_databases_free = match is_written(all) || is_at(all, BackupWork::Restore) {
        true => Possible::No("Wait until the work on another backup has ended."),
        false => Possible::Yes,
    };
    can_verify(one, all).and(are_databases_free)
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

fn is_at(all: &InstanceBackups, work: BackupWork) -> bool {
    all.items.iter().any(|one| one.work == Some(work))
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use chrono::DateTime;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn with(work: Option<BackupWork>) -> (Backup, InstanceBackups) {
        let complete = samples::complete(2, DateTime::default());
        let other = Backup { work, ..samples::complete(1, DateTime::default()) };
        let items = vec![complete.clone(), other];
        (complete, InstanceBackups { items, ..samples::possible() })
    }

    #[test]
    fn a_backup_is_made_unless_one_is_written_or_replaces_the_databases() {
        for (work, is_possible) in [
            (None, true),
            (Some(BackupWork::Write), false),
            (Some(BackupWork::Verify), true),
            (Some(BackupWork::Restore), false),
            (Some(BackupWork::Delete), true),
        ] {
            assert_eq!(can_back_up(&with(work).1) == Possible::Yes, is_possible, "{work:?}");
        }
        let nowhere = InstanceBackups { why_none: Some("Set a directory.".into()), ..samples::possible() };
        assert!(can_back_up(&nowhere).why_not().is_some());
    }

    #[test]
    fn only_a_complete_backup_that_nothing_is_done_with_is_read() {
        let (complete, all) = with(None);
        assert_eq!((can_verify(&complete, &all), can_restore(&complete, &all)), (Possible::Yes, Possible::Yes));
        for state in [BackupState::Writing, BackupState::Failed] {
            let one = Backup { state, ..complete.clone() };
            assert!(can_verify(&one, &all).why_not().is_some(), "{state:?}");
            assert!(can_restore(&one, &all).why_not().is_some(), "{state:?}");
        }
        for work in BackupWork::ALL.iter().copied() {
            let one = Backup { work: Some(work), ..complete.clone() };
            let answers = [can_verify(&one, &all), can_restore(&one, &all), can_delete(&one)];
            assert!(answers.iter().all(|possible| possible.why_not().is_some()), "{work:?}");
        }
        let without_key = InstanceBackups { why_no_restore: Some("Name the key.".into()), ..all };
        assert!(can_verify(&complete, &without_key).why_not().is_some());
        assert!(can_restore(&complete, &without_key).why_not().is_some());
        assert_eq!(can_delete(&complete), Possible::Yes);
    }

    #[test]
    fn a_restore_waits_for_the_work_that_needs_the_databases() {
        for (work, is_possible) in [
            (BackupWork::Write, false),
            (BackupWork::Verify, true),
            (BackupWork::Restore, false),
            (BackupWork::Delete, true),
        ] {
            let (complete, all) = with(Some(work));
            assert_eq!(can_restore(&complete, &all) == Possible::Yes, is_possible, "{work:?}");
            assert_eq!(can_verify(&complete, &all), Possible::Yes, "{work:?}");
        }
    }
}
