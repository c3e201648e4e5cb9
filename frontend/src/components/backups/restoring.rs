//! What is said before and while databases are replaced by a backup: in the dialog of the backup, and in that of a rollback over a
//! migration.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use shared_types::backup::{Backup, BackupWork};

use super::words::so_far;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words::{ago, exact, sentence};

const WRITTEN_BACK: &str = "Objects that differ from the backup are written back. Objects that it does not have stay, and buckets that an \
    operator entered do, too.";

/// What a restore does, in order.
#[component]
pub fn RestoreWords(
    /// When the backup was requested.
    created: DateTime<Utc>,
    /// What the instance has that is in no backup.
    left_out: Vec<String>,
    /// Whether objects of buckets are written back, too.
    #[prop(optional)]
    has_objects: bool,
    /// The app server that gets the traffic at the same time, if any.
    #[prop(optional)]
    rolls_back_to: Option<String>,
) -> impl IntoView {
    let now = clock::now();
    let at = exact(created, &Local);
    let checked = "The files of the backup are checked. If one is damaged, nothing is changed.";
    let (begin, writers) = match rolls_back_to {
        None => (
            [checked.to_owned(), "Visitors get the maintenance page.".to_owned()],
            "App servers keep running meanwhile, with their background workers.",
        ),
        Some(to) => (
            [
                format!("Visitors get the maintenance page, and {to} gets the traffic behind it."),
                checked.replace("nothing", "no database"),
            ],
            "The newer app server keeps running, with its background workers: terminate it afterwards if they must not write to the \
             restored databases.",
        ),
    };
    let left_out = (!left_out.is_empty()).then(|| {
        let lines = left_out.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
        view! { <div><p>"These are in no backup, and stay as they are:"</p> <ul class="plain">{lines}</ul></div> }
    });
    view! {
        <ol class="plain">
            {begin.map(|words| view! { <li>{words}</li> }).collect_view()}
            <li>
                "The present databases are replaced. "
                <b>"What was written since " {at} " (" {move || ago(created, now.get())} ") is lost."</b>
            </li>
            {has_objects.then(|| view! { <li>{WRITTEN_BACK}</li> })}
            <li>"When all are complete, the maintenance page is taken down, unless it was up before."</li>
        </ol>
        <p>{writers} " If what the databases hold now may be needed, make a backup first."</p>
        {left_out}
    }
}

/// How far a restore has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// It is requested; what is known of the backup may be older than the request.
    Requested,
    /// It goes on: how far, and why the last attempt failed.
    Working(Option<String>, Option<String>),
    Restored,
    /// It has failed, and why.
    Failed(String),
}

impl Stage {
    /// The stage after this one. `requested`: the backup in the response to the request.
    fn next(&self, requested: &Backup, now: &Backup) -> Self {
        if now.work == Some(BackupWork::Restore) {
            return Self::Working(so_far(now), now.trouble.as_deref().and_then(sentence));
        }
        let is_same = (now.restored, &now.trouble) == (requested.restored, &requested.trouble);
        match self {
            Self::Restored | Self::Failed(_) => self.clone(),
            Self::Requested if is_same => Self::Requested,
            Self::Requested | Self::Working(..) if now.restored != requested.restored => Self::Restored,
            Self::Requested | Self::Working(..) => {
                Self::Failed(now.trouble.as_deref().and_then(sentence).unwrap_or_default())
            }
        }
    }
}

/// How far a restore has come, until it has ended.
#[component]
pub fn RestoreProgress(
    /// The backup in the response to the request.
    requested: Backup,
) -> impl IntoView {
    let created = exact(requested.created, &Local);
    let backups = state().data.backups(requested.instance_id);
    let stage = Memo::new(move |before: Option<&Stage>| {
        let before = before.unwrap_or(&Stage::Requested);
        backups.with(|all| {
            let now = all.here().and_then(|all| all.items.iter().find(|one| one.id == requested.id));
            now.map_or_else(|| before.clone(), |now| before.next(&requested, now))
        })
    });
    move || view! { <StageWords stage=stage.get() created=created.clone()/> }
}

#[component]
fn StageWords(stage: Stage, created: String) -> impl IntoView {
    let (tone, shape, label) = match &stage {
        Stage::Requested | Stage::Working(..) => ("busy", Shape::Dots, "Being restored"),
        Stage::Restored => ("good", Shape::Check, "Restored"),
        Stage::Failed(_) => ("bad", Shape::Cross, "Not restored"),
    };
    let goes_on = matches!(stage, Stage::Requested | Stage::Working(..)).then_some(
        "Visitors get the maintenance page until the databases are restored. If you close this dialog, the restore goes on.",
    );
    let (words, why) = match stage {
        Stage::Requested => ("Waiting to begin".to_owned(), None),
        Stage::Working(so_far, why) => (so_far.unwrap_or_default(), why),
        Stage::Restored => (format!("The databases are as they were on {created}."), None),
        Stage::Failed(why) => (String::new(), Some(why)),
    };
    view! {
        <div role="status" aria-label="Restore">
            <span class=format!("label {tone}")><Icon shape/>{label}</span>
            " "
            {words}
            {why.map(|why| view! { <p class="why">{why}</p> })}
            {goes_on.map(|words| view! { <p class="fine">{words}</p> })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::complete;
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_restore_is_followed_until_it_has_ended() {
        let before = complete(3, DateTime::default());
        let requested = Backup { work: Some(BackupWork::Restore), ..before.clone() };
        let working = Backup { work_bytes: 48_000_000, ..requested.clone() };
        let trouble = Some("the gateway does not answer".to_owned());
        let again = Backup { trouble: trouble.clone(), ..working.clone() };
        let restored = Backup { restored: Some(DateTime::default()), ..before.clone() };
        let failed = Backup { trouble, ..before.clone() };
        let stages = |seen: &[&Backup]| {
            let next = |stage: Stage, now: &&Backup| stage.next(&requested, now);
            seen.iter().fold(Stage::Requested, next)
        };
        assert_eq!(stages(&[&before]), Stage::Requested, "the list is older than the request");
        assert_eq!(stages(&[&before, &working]), Stage::Working(Some("48 MB so far".to_owned()), None));
        let why = "The gateway does not answer.".to_owned();
        assert_eq!(stages(&[&again]), Stage::Working(Some("48 MB so far".to_owned()), Some(why.clone())));
        assert_eq!(stages(&[&before, &working, &restored]), Stage::Restored);
        assert_eq!(stages(&[&restored]), Stage::Restored, "it was too quick to be seen");
        assert_eq!(stages(&[&working, &failed]), Stage::Failed(why));
    }

    #[test]
    fn what_happens_to_the_backup_later_does_not_change_how_its_restore_ended() {
        let requested = Backup { work: Some(BackupWork::Restore), ..complete(3, DateTime::default()) };
        let later = Backup { work: Some(BackupWork::Verify), trouble: Some("damaged".to_owned()), ..requested.clone() };
        assert_eq!(Stage::Restored.next(&requested, &later), Stage::Restored);
    }
}
