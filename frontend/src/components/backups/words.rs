//! What is said about backups. Pure functions; the current time is an argument.

use chrono::{DateTime, TimeDelta, Utc};
use shared_types::backup::{Backup, BackupPiece, BackupReason, BackupState, BackupWork, InstanceBackups};

use crate::ui::Shape;
use crate::words::{ago, count, resource, sentence, span_closely, thousands};

/// The label of a backup: its CSS class, its icon, and what is done with it or its state.
pub(super) const fn label(one: &Backup) -> (&'static str, Shape, &'static str) {
    match (one.work, one.state) {
        (Some(BackupWork::Write), _) | (None, BackupState::Writing) => {
            ("busy", Shape::Dots, BackupState::Writing.name())
        }
        (Some(BackupWork::Verify), _) => ("busy", Shape::Dots, "Being verified"),
        (Some(BackupWork::Restore), _) => ("busy", Shape::Dots, "Being restored"),
        (Some(BackupWork::Delete), _) => ("busy", Shape::Dots, "Being deleted"),
        (None, BackupState::Complete) => ("good", Shape::Check, BackupState::Complete.name()),
        (None, BackupState::Failed) => ("bad", Shape::Cross, BackupState::Failed.name()),
    }
}

/// How far the work has come: `48 MB so far`. None without work that reads or writes.
pub(super) fn so_far(one: &Backup) -> Option<String> {
    let far = match one.work? {
        BackupWork::Write | BackupWork::Verify | BackupWork::Restore if one.work_bytes == 0 => {
            "Waiting to begin".to_owned()
        }
        BackupWork::Write | BackupWork::Verify | BackupWork::Restore => {
            format!("{} so far", resource::bytes(one.work_bytes))
        }
        BackupWork::Delete => return None,
    };
    Some(match one.into_instance_id {
        Some(into) => format!("Into instance {into}: {far}"),
        None => far,
    })
}

/// The size of all files. None until it is complete.
pub(super) fn size(one: &Backup) -> Option<String> {
    let bytes = one.pieces.iter().fold(0_i64, |sum, piece| sum.saturating_add(piece.bytes));
    (!one.pieces.is_empty()).then(|| resource::bytes(bytes))
}

/// The databases and buckets in it: `MySQL main, PostgreSQL forum, S3 files`.
pub(super) fn contents(one: &Backup) -> String {
    names(one.pieces.iter())
}

/// The same with their sizes: `MySQL main: 300 MB, S3 files: 1,240 objects, 310 MB, 3 copied anew`.
pub(super) fn sizes(one: &Backup) -> String {
    let sized = |piece: &BackupPiece| {
        let (name, bytes) = (name(piece), resource::bytes(piece.bytes));
        let Some(objects) = piece.objects else { return format!("{name}: {bytes}") };
        let copied = match piece.copied {
            Some(copied @ 1..) => format!("{} copied anew", thousands(usize::try_from(copied).unwrap_or(usize::MAX))),
            Some(_) | None => "none copied anew".to_owned(),
        };
        let objects = count(usize::try_from(objects).unwrap_or_default(), "object");
        format!("{name}: {objects}, {bytes}, {copied}")
    };
    one.pieces.iter().map(sized).collect::<Vec<_>>().join(", ")
}

/// What a restore does with an instance of this name.
pub(super) fn restores(one: &Backup, instance: &str) -> String {
    let (databases, buckets): (Vec<_>, Vec<_>) = one.pieces.iter().partition(|piece| piece.objects.is_none());
    let replaces = format!("Replaces databases by those of {instance}: {}.", names(databases.iter().copied()));
    let writes = format!("Writes objects of {} back.", names(buckets.iter().copied()));
    let all = [(replaces, databases.is_empty()), (writes, buckets.is_empty())];
    all.into_iter().filter(|(_, is_empty)| !is_empty).map(|(words, _)| words).collect::<Vec<_>>().join(" ")
}

/// Whether it has objects of buckets.
pub(super) fn has_buckets(one: &Backup) -> bool {
    one.pieces.iter().any(|piece| piece.objects.is_some())
}

fn names<'p>(pieces: impl Iterator<Item = &'p BackupPiece>) -> String {
    pieces.map(name).collect::<Vec<_>>().join(", ")
}

fn name(piece: &BackupPiece) -> String {
    format!("{} {}", piece.kind.name(), piece.name)
}

pub(super) fn reason(one: &Backup) -> String {
    match one.reason {
        BackupReason::Requested => format!("By {}", one.created_by),
        BackupReason::Scheduled => "By schedule".to_owned(),
        BackupReason::Migration => "Before a migration".to_owned(),
    }
}

/// Whether backups are made by a schedule, how many of these are kept, and when the next one is due.
pub(super) fn schedule(all: &InstanceBackups, is_archived: bool, now: DateTime<Utc>) -> String {
    let Some(hours) = all.every_hours else {
        return "None: backups are made on request. OCIM_BACKUP_EVERY sets a schedule for all instances.".to_owned();
    };
    let kept = if all.keep == 1 { "newest one is".to_owned() } else { format!("newest {} are", all.keep) };
    let rule = format!("{}; of these backups the {kept} kept.", every(hours));
    if is_archived {
        return format!("{rule} None is made while the instance is archived.");
    }
    if all.why_none.is_some() {
        return rule;
    }
    match due(all, hours).map(|due| due - now).filter(|left| *left > TimeDelta::zero()) {
        Some(left) => format!("{rule} The next one is due in {}.", span_closely(left)),
        None => format!("{rule} The next one is due now."),
    }
}

/// When the next scheduled backup is due: counted from the last complete one, and after a failure an hour later at the earliest.
fn due(all: &InstanceBackups, hours: u32) -> Option<DateTime<Utc>> {
    let scheduled =
        |state| all.items.iter().find(move |one| one.reason == BackupReason::Scheduled && one.state == state);
    let by_rule = scheduled(BackupState::Complete).map(|one| one.created + TimeDelta::hours(i64::from(hours)));
    let by_failure = scheduled(BackupState::Failed).and_then(|one| one.ended).map(|ended| ended + TimeDelta::hours(1));
    by_rule.into_iter().chain(by_failure).max()
}

fn every(hours: u32) -> String {
    match (hours, hours % 24) {
        (1, _) => "Every hour".to_owned(),
        (24, _) => "Every day".to_owned(),
        (_, 0) => format!("Every {} days", hours / 24),
        _ => format!("Every {hours} hours"),
    }
}

/// What is being done to the databases by another instance's backup, and what keeps backups from being made or restored; each with the
/// reason.
pub(super) fn notes(all: &InstanceBackups) -> Vec<(&'static str, String)> {
    let why = |why: &Option<String>| why.as_deref().and_then(sentence);
    let none = why(&all.why_none);
    // Without any backup, that none can be made is enough.
    let no_restore = why(&all.why_no_restore).filter(|_| none.is_none() || !all.items.is_empty());
    let none = none.map(|why| ("No backup can be made.", why));
    let no_restore = no_restore.map(|why| ("Backups cannot be restored or verified here.", why));
    let incoming = all.incoming.as_ref().map(|one| {
        ("A copy arrives.", format!("Backup {} of instance {} replaces these databases.", one.id, one.instance_id))
    });
    incoming.into_iter().chain(none).chain(no_restore).collect()
}

/// The newest one that could be restored.
pub(super) fn last_complete(all: &InstanceBackups) -> Option<&Backup> {
    all.items.iter().find(|one| is_whole(one))
}

/// Whether it is the only one that could be restored.
pub(super) fn is_last_complete(backup: &Backup, all: &InstanceBackups) -> bool {
    is_whole(backup) && !all.items.iter().any(|one| one.id != backup.id && is_whole(one))
}

fn is_whole(one: &Backup) -> bool {
    one.state == BackupState::Complete && one.work != Some(BackupWork::Delete)
}

/// What a purge is told: the last complete backup, one that is being written, or that there is none.
pub(super) fn before_purge(all: &InstanceBackups, now: DateTime<Utc>) -> String {
    let writing = all.items.iter().find(|one| one.work == Some(BackupWork::Write));
    if let Some(writing) = writing {
        return match writing.work_bytes {
            0 => "A backup waits to be written.".to_owned(),
            bytes => format!("A backup is being written: {} so far.", resource::bytes(bytes)),
        };
    }
    match last_complete(all) {
        Some(last) => {
            let size = size(last).map(|size| format!(", {size}")).unwrap_or_default();
            format!("Last backup: {}{size}.", ago(last.created, now))
        }
        None => "There is no backup.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{complete, every_state, possible, with_bucket};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn now() -> DateTime<Utc> {
        DateTime::default() + TimeDelta::days(100)
    }

    #[test]
    fn each_backup_says_what_is_done_with_it_and_how_far() {
        let all = every_state(now());
        let said: Vec<_> = all.items.iter().map(|one| (label(one).2, so_far(one))).collect();
        let some = |words: &str| Some(words.to_owned());
        let expected = [
            ("Being written", some("Waiting to begin")),
            ("Being written", some("48 MB so far")),
            ("Failed", None),
            ("Being verified", some("120 MB so far")),
            ("Being restored", some("1.2 GB so far")),
            ("Being deleted", None),
            ("Complete", None),
            ("Complete", None),
            ("Complete", None),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_backup_says_its_size_and_who_asked_for_it() {
        let one = complete(1, now());
        assert_eq!(size(&one).as_deref(), Some("312 MB"));
        assert_eq!(contents(&one), "MySQL main, PostgreSQL forum");
        assert_eq!(sizes(&one), "MySQL main: 300 MB, PostgreSQL forum: 12 MB");
        assert_eq!(reason(&one), "By ada");
        let scheduled = Backup { reason: BackupReason::Scheduled, pieces: Vec::new(), ..one };
        assert_eq!((size(&scheduled), reason(&scheduled).as_str()), (None, "By schedule"));
    }

    #[test]
    fn a_backup_of_a_bucket_says_how_many_objects_were_copied() {
        let one = with_bucket(1, now());
        let objects = "S3 files: 1,240 objects, 310 MB, 3 copied anew";
        assert_eq!(sizes(&one), format!("MySQL main: 300 MB, PostgreSQL forum: 12 MB, {objects}"));
        assert_eq!(
            (contents(&one).as_str(), size(&one).as_deref()),
            ("MySQL main, PostgreSQL forum, S3 files", Some("622 MB"))
        );
        let words =
            "Replaces databases by those of School: MySQL main, PostgreSQL forum. Writes objects of S3 files back.";
        assert_eq!(restores(&one, "School"), words);
        let only = Backup { pieces: one.pieces.iter().skip(2).cloned().collect(), ..one };
        assert_eq!(restores(&only, "School"), "Writes objects of S3 files back.");
        assert!(has_buckets(&only) && !has_buckets(&complete(1, now())));
    }

    #[test]
    fn the_schedule_says_when_the_next_backup_is_due() {
        let said = |all: &InstanceBackups| schedule(all, false, now());
        assert!(said(&possible()).starts_with("None: "));
        let daily = InstanceBackups { every_hours: Some(24), ..possible() };
        assert_eq!(said(&daily), "Every day; of these backups the newest 7 are kept. The next one is due now.");
        let one = |id, hours, reason| Backup { reason, ..complete(id, now() - TimeDelta::hours(hours)) };
        let items = vec![one(2, 1, BackupReason::Requested), one(1, 3, BackupReason::Scheduled)];
        let made = InstanceBackups { items, every_hours: Some(6), keep: 1, ..possible() };
        let expected = "Every 6 hours; of these backups the newest one is kept. The next one is due in 3 h.";
        assert_eq!(said(&made), expected, "one on request does not count");
        let late = schedule(&made, false, now() + TimeDelta::hours(4));
        assert!(late.ends_with("The next one is due now."), "{late}");
        let archived = schedule(&made, true, now());
        assert!(archived.ends_with("None is made while the instance is archived."), "{archived}");
        let impossible = InstanceBackups { why_none: Some("no directory".into()), ..made };
        assert!(!said(&impossible).contains("due"));
        assert_eq!([1, 24, 30, 72].map(every), ["Every hour", "Every day", "Every 30 hours", "Every 3 days"]);
    }

    #[test]
    fn a_scheduled_backup_that_failed_is_due_again_in_an_hour() {
        let at = |id, state, minutes| {
            let created = now() - TimeDelta::minutes(minutes);
            Backup { state, reason: BackupReason::Scheduled, ended: Some(created), ..complete(id, created) }
        };
        let items = vec![at(2, BackupState::Failed, 20), at(1, BackupState::Complete, 24 * 60)];
        let all = InstanceBackups { items, every_hours: Some(24), ..possible() };
        let said = schedule(&all, false, now());
        assert!(said.ends_with("The next one is due in 40 min."), "{said}");
    }

    #[test]
    fn what_is_missing_is_said_once() {
        assert_eq!(notes(&possible()), []);
        let (none, no_restore) = (Some("set a directory".to_owned()), Some("name the key".to_owned()));
        let neither = InstanceBackups { why_none: none.clone(), why_no_restore: no_restore.clone(), ..possible() };
        assert_eq!(notes(&neither), [("No backup can be made.", "Set a directory.".to_owned())]);
        let items = vec![complete(1, now())];
        let unreadable = InstanceBackups { items, why_no_restore: no_restore, ..possible() };
        let expected = ("Backups cannot be restored or verified here.", "Name the key.".to_owned());
        assert_eq!(notes(&unreadable), [expected]);
        let both = InstanceBackups { why_none: none, ..unreadable };
        assert_eq!(notes(&both).len(), 2, "there are backups, so that both matter");
    }

    #[test]
    fn a_copy_is_told_on_both_sides() {
        let copied = Backup {
            work: Some(BackupWork::Restore),
            work_bytes: 48_000_000,
            into_instance_id: Some(shared_types::InstanceId(9)),
            ..complete(3, now())
        };
        assert_eq!(so_far(&copied).as_deref(), Some("Into instance 9: 48 MB so far"));
        let source = InstanceBackups { items: vec![copied.clone()], ..possible() };
        assert_eq!((super::super::at_work(&source), notes(&source)), (None, Vec::new()), "its own databases are free");
        let target = InstanceBackups { incoming: Some(copied.clone()), ..possible() };
        assert_eq!(super::super::at_work(&target), Some(&copied));
        assert_eq!(
            notes(&target),
            [("A copy arrives.", "Backup 3 of instance 7 replaces these databases.".to_owned())]
        );
    }

    #[test]
    fn a_purge_names_the_last_backup_that_could_be_restored() {
        let words = |items| before_purge(&InstanceBackups { items, ..possible() }, now());
        assert_eq!(words(Vec::new()), "There is no backup.");
        let at = |id, hours| complete(id, now() - TimeDelta::hours(hours));
        let failed = Backup { state: BackupState::Failed, pieces: Vec::new(), ..at(3, 1) };
        let ending = Backup { work: Some(BackupWork::Delete), ..at(2, 2) };
        assert_eq!(words(vec![failed.clone(), ending.clone()]), "There is no backup.");
        assert_eq!(words(vec![failed, ending, at(1, 3)]), "Last backup: 3 h ago, 312 MB.");
        let waiting = Backup { state: BackupState::Writing, work: Some(BackupWork::Write), ..at(4, 0) };
        let writing = Backup { work_bytes: 48_000_000, ..waiting.clone() };
        assert_eq!(words(vec![waiting, at(1, 3)]), "A backup waits to be written.");
        assert_eq!(words(vec![writing, at(1, 3)]), "A backup is being written: 48 MB so far.");
    }

    #[test]
    fn the_only_complete_backup_is_known_as_such() {
        let (one, other) = (complete(1, now()), complete(2, now()));
        let failed = Backup { state: BackupState::Failed, ..other.clone() };
        let of = |items| InstanceBackups { items, ..possible() };
        assert!(is_last_complete(&one, &of(vec![one.clone(), failed.clone()])));
        assert!(!is_last_complete(&one, &of(vec![one.clone(), other])));
        assert!(!is_last_complete(&failed, &of(vec![failed.clone()])), "nothing of it is left");
    }
}
