//! The dialog that restores a backup: into its own instance, or as a copy into another one of the same type.

use std::sync::Arc;

use chrono::Local;
use futures::FutureExt;
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::{Backup, RestoreBackup};

use super::restoring::RestoreWords;
use super::words;
use crate::api;
use crate::components::confirm_field::ConfirmField;
use crate::components::{Act, AskDialog, RadioField};
use crate::state::data::{Key, Row, Rows};
use crate::state::state;
use crate::words::exact;

/// An instance that can get the data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    id: InstanceId,
    name: String,
    domain: String,
}

/// The other instances in use of the same type, by name.
fn targets(rows: &Rows, own: InstanceId) -> Vec<Target> {
    let Some(own) = rows.get(&own) else { return Vec::new() };
    let is_other =
        |one: &&Arc<Row>| one.summary.id != own.summary.id && one.summary.instance_type == own.summary.instance_type;
    let mut others: Vec<_> = rows.values().filter(is_other).collect();
    others.sort_by(|one, other| one.folded().cmp(other.folded()));
    let target = |one: &Arc<Row>| {
        let summary = &one.summary;
        Target { id: summary.id, name: summary.name.clone(), domain: summary.domain.clone() }
    };
    others.into_iter().map(target).collect()
}

/// What a restore into another instance does, in order. `at`: when the backup was made, in words.
fn course_of_copy(own: &str, other: &str, at: &str) -> [String; 5] {
    [
        format!(
            "From now on, mail and payments are off in every app server of {other} that is launched, until an administrator ends that. Those \
             that were launched before must be terminated first."
        ),
        "The files of the backup are checked. If one is damaged, nothing is changed.".to_owned(),
        format!("{other} gets databases if it has none yet, and its visitors get the maintenance page."),
        format!("Its databases are replaced by those of {own} as of {at}. What they hold now is lost."),
        format!(
            "When all are complete, the page is taken down. Launch an app server of {other} to use the data. {own} goes on meanwhile."
        ),
    ]
}

/// Why it cannot be confirmed yet.
fn why_not(is_other: bool, target: Option<&str>, typed: &str) -> Option<&'static str> {
    match target {
        None if is_other => Some("Choose an instance first."),
        None => Some("Type its name first."),
        Some(name) => (name != typed).then_some("Type its name first."),
    }
}

/// Says what a restore does, in order, and asks for the name of the instance whose databases are replaced.
#[component]
pub(super) fn RestoreDialog(
    id: InstanceId,
    name: String,
    backup: Backup,
    /// What the instance has that is in no backup.
    left_out: Vec<String>,
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (one, at, has_objects) = (backup.id, exact(backup.created, &Local), words::has_buckets(&backup));
    let typed = RwSignal::new(String::new());
    let (is_other, chosen) = (RwSignal::new(false), RwSignal::new(None::<InstanceId>));
    let list = data.list();
    let others = Memo::new(move |_| list.with(|list| list.here().map(|rows| targets(rows, id)).unwrap_or_default()));
    let has_others = Memo::new(move |_| others.with(|all| !all.is_empty()));
    let other = Memo::new(move |_| {
        let chosen = chosen.get().filter(|_| is_other.get())?;
        others.with(|all| all.iter().find(|one| one.id == chosen).cloned())
    });
    let own = name.clone();
    let target = Memo::new(move |_| match is_other.get() {
        true => other.get().map(|other| other.name),
        false => Some(own.clone()),
    });
    let why_not =
        Memo::new(move |_| target.with(|target| typed.with(|typed| why_not(is_other.get(), target.as_deref(), typed))));
    let act: Act = Callback::new(move |_| {
        async move {
            let into = other.get_untracked().map(|other| other.id);
            let wanted = RestoreBackup { confirm: typed.get_untracked(), into, roll_back: None };
            let answer = api::backups::restore(id, one, &wanted).await;
            for id in [Some(id), into].into_iter().flatten() {
                data.refresh(Key::Backups(id));
                data.refresh(Key::Instance(id));
            }
            answer.map(|_| "The backup is being restored.".to_owned())
        }
        .boxed_local()
    });
    let course = {
        let (name, at, created) = (name.clone(), at.clone(), backup.created);
        move || match (is_other.get(), other.get()) {
            (false, _) => view! { <RestoreWords created left_out=left_out.clone() has_objects/> }.into_any(),
            (true, None) => ().into_any(),
            (true, Some(other)) => {
                let steps = course_of_copy(&name, &other.name, &at);
                let steps = steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view();
                view! { <ol class="plain">{steps}</ol> }.into_any()
            }
        }
    };
    view! {
        <AskDialog
            title=format!("Restore the backup of {at}?")
            words=words::restores(&backup, &name)
            confirm="Restore"
            is_grave=true
            has_reason=false
            why_not
            act
            on_close
        >
            <Show when=move || has_others.get()>
                <RadioField
                    name="restore-into"
                    label="Into"
                    choices=vec![
                        (false, "This instance", "Its databases become as they were."),
                        (true, "Another instance", "It gets a copy, with mail and payments off."),
                    ]
                    chosen=is_other
                />
                <Show when=move || is_other.get()>
                    <TargetField others chosen/>
                </Show>
            </Show>
            {course}
            {move || target.get().map(|wanted| view! { <ConfirmField wanted typed/> })}
        </AskDialog>
    }
}

#[component]
fn TargetField(others: Memo<Vec<Target>>, chosen: RwSignal<Option<InstanceId>>) -> impl IntoView {
    let option = move |Target { id, name, domain }: Target| {
        view! {
            <option value=id.to_string() selected=move || chosen.get() == Some(id)>{format!("{name} ({domain})")}</option>
        }
    };
    view! {
        <label class="ask">
            "Instance of the same type"
            <select on:change=move |event| chosen.set(event_target_value(&event).parse().ok())>
                <option value="">"Choose…"</option>
                {move || others.get().into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}

#[cfg(test)]
mod tests {
    use shared_types::InstanceSummary;

    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn rows(all: &[(i64, &str, &str)]) -> Rows {
        let row = |(id, name, instance_type): &(i64, &str, &str)| {
            let id = InstanceId(*id);
            let (name, instance_type) = ((*name).to_owned(), (*instance_type).to_owned());
            (id, Arc::new(Row::new(InstanceSummary { id, name, instance_type, ..samples::instance_summary() })))
        };
        all.iter().map(row).collect()
    }

    #[test]
    fn only_other_instances_of_the_same_type_can_be_chosen() {
        let rows = rows(&[(7, "Campus", "site"), (8, "staging", "site"), (9, "Wiki", "other"), (10, "Alpha", "site")]);
        let named = |own| targets(&rows, InstanceId(own)).into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(named(7), ["Alpha", "staging"]);
        assert_eq!(named(9), Vec::<String>::new());
        assert_eq!(named(11), Vec::<String>::new(), "an archived one is not in the list");
    }

    #[test]
    fn the_name_to_type_is_that_of_the_instance_that_loses_its_data() {
        assert_eq!(why_not(false, Some("Campus"), "Campus"), None);
        assert_eq!(why_not(true, None, "Campus"), Some("Choose an instance first."));
        assert_eq!(why_not(true, Some("staging"), "Campus"), Some("Type its name first."));
        assert_eq!(why_not(true, Some("staging"), "staging"), None);
    }

    #[test]
    fn a_copy_says_what_is_off_and_what_is_lost_and_who_goes_on() {
        let [off, checked, made, lost, used] = course_of_copy("Campus", "staging", "3 May 2026, 10:00");
        assert!(off.starts_with("From now on, mail and payments are off in every app server of staging"), "{off}");
        assert!(off.ends_with("Those that were launched before must be terminated first."), "{off}");
        assert!(
            checked.contains("nothing is changed") && made.starts_with("staging gets databases if it has none yet")
        );
        assert_eq!(
            lost,
            "Its databases are replaced by those of Campus as of 3 May 2026, 10:00. What they hold now is lost."
        );
        assert!(
            used.contains("Launch an app server of staging") && used.ends_with("Campus goes on meanwhile."),
            "{used}"
        );
    }
}
