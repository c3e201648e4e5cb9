//! What is said about builds that migrate databases. What became of one is said by [`Migration::words`].

use chrono::Local;
use shared_types::migration::{Migration, NextMigration};

use crate::words::{exact, sentence};

/// What the snapshot before the next launch contains, or why there is none.
pub(super) fn snapshot(next: &NextMigration) -> String {
    match &next.why_no_snapshot {
        Some(why) => format!("No snapshot is taken before: {}", sentence(why).unwrap_or_default()),
        None => format!("Before it does, a snapshot is taken: {}.", next.contents.join(", ")),
    }
}

/// What is not in the snapshot before the next launch. None: nothing, or there is no snapshot.
pub(super) fn left_out(next: &NextMigration) -> Option<String> {
    let is_said = next.why_no_snapshot.is_none() && !next.left_out.is_empty();
    is_said.then(|| format!(" Not in it: {}.", next.left_out.join("; ")))
}

/// What happens after the snapshot.
pub(super) const fn course(without_page: bool) -> &'static str {
    match without_page {
        false => {
            "Visitors get the maintenance page from before the snapshot until you activate the new app server. If the build fails, its \
             machine is deleted, the snapshot is restored, and the active app server serves again."
        }
        true => {
            "Visitors go on to use the site. If the build fails, nothing is restored by itself: you decide, and a restore would lose what \
             visitors wrote since the snapshot."
        }
    }
}

/// What a rollback to an app server from before the migration does not undo; said after the name of the newer one.
pub(super) fn since(migration: &Migration) -> String {
    format!(
        "has migrated the databases from {} to {} since. The switch does not undo that, and the older app server may not work with them.",
        migration.from, migration.to
    )
}

/// What a restore of the snapshot would lose.
pub(super) fn loss(migration: &Migration) -> String {
    match (migration.backup_id, migration.snapshot_at) {
        (Some(backup), Some(at)) => {
            format!("Backup {backup} can be restored: what was written since {} would be lost.", exact(at, &Local))
        }
        (None, _) | (_, None) => "Its snapshot is deleted.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{migration, next};
    use super::*;
    use chrono::{DateTime, Utc};
    use shared_types::migration::MigrationState;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn in_state(state: MigrationState, is_page_up: bool) -> Migration {
        Migration { is_page_up, ..migration(state, DateTime::<Utc>::default()) }
    }

    #[test]
    fn every_state_has_its_words_or_no_banner() {
        let said = |state: &MigrationState| (in_state(*state, true).words(), state.can_be_dismissed());
        let some = |words: &str| Some(words.to_owned());
        let expected = [
            (None, false),
            (some("migrates the databases from release 1 to release 2; the snapshot is being taken."), false),
            (some("migrates the databases from release 1 to release 2."), false),
            (
                some(
                    "has migrated the databases to release 2; activate it, which takes the maintenance page down, or restore the snapshot \
                     to go back.",
                ),
                false,
            ),
            (None, false),
            (
                some(
                    "failed after it began to migrate the databases; its machine is deleted, and the snapshot restored.",
                ),
                false,
            ),
            (
                some(
                    "migrated the databases to release 2, which was undone: they are as they were when the snapshot was taken.",
                ),
                true,
            ),
            (
                some(
                    "failed while it migrated the databases to release 2. Visitors could write meanwhile, because the launch asked for no \
                     maintenance page. Restore the snapshot, or repair the databases; then dismiss this.",
                ),
                true,
            ),
            (None, false),
        ];
        assert_eq!(MigrationState::ALL.iter().map(said).collect::<Vec<_>>(), expected);
        assert_eq!(in_state(MigrationState::Done, false).words(), None, "it is active");
    }

    #[test]
    fn a_person_who_must_decide_is_told_what_a_restore_would_lose() {
        let needs = in_state(MigrationState::NeedsPerson, false);
        let words = loss(&needs);
        assert!(words.starts_with("Backup 3 can be restored: what was written since "), "{words}");
        assert!(words.ends_with(" would be lost."), "{words}");
        assert_eq!(loss(&Migration { backup_id: None, ..needs }), "Its snapshot is deleted.");
        let without_reason = Migration { trouble: None, ..in_state(MigrationState::NeedsPerson, false) };
        assert!(without_reason.words().is_some_and(|words| words.ends_with("The databases may be half migrated.")));
    }

    #[test]
    fn a_launch_says_what_its_snapshot_contains_or_why_there_is_none() {
        assert_eq!(
            snapshot(&next()),
            "Before it does, a snapshot is taken: MySQL database main, PostgreSQL database forum."
        );
        assert_eq!(
            left_out(&next()).as_deref(),
            Some(" Not in it: Redis database main: ocim makes no backups of Redis.")
        );
        assert_eq!(left_out(&NextMigration { left_out: Vec::new(), ..next() }), None);
        let without = NextMigration { why_no_snapshot: Some("set a directory".to_owned()), ..next() };
        assert_eq!(
            (snapshot(&without).as_str(), left_out(&without)),
            ("No snapshot is taken before: Set a directory.", None)
        );
        assert!(course(false).contains("the snapshot is restored") && course(true).contains("you decide"));
    }

    #[test]
    fn a_rollback_says_what_it_does_not_undo() {
        let words = since(&in_state(MigrationState::Done, false));
        assert!(words.starts_with("has migrated the databases from release 1 to release 2 since. "), "{words}");
    }
}
