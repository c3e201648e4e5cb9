//! The dialogs that restore and delete a backup.

use chrono::Local;
use futures::FutureExt;
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::Backup;

use super::words;
use crate::api;
use crate::components::confirm_field::{ConfirmField, must_type};
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::words::{ago, exact};

/// Says what a restore does, in order, and asks for the instance's name.
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
    let now = clock::now();
    let (one, created) = (backup.id, backup.created);
    let typed = RwSignal::new(String::new());
    let why_not = must_type(typed, name.clone(), "Type its name first.");
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::backups::restore(id, one, typed.get_untracked()).await;
            data.refresh(Key::Backups(id));
            answer.map(|_| "The backup is being restored.".to_owned())
        }
        .boxed_local()
    });
    let at = exact(created, &Local);
    let left_out = (!left_out.is_empty()).then(|| {
        let lines = left_out.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
        view! { <div><p>"These are in no backup, and stay as they are:"</p> <ul class="plain">{lines}</ul></div> }
    });
    let written_back = words::has_buckets(&backup).then(|| {
        view! {
            <li>"Objects that differ from the backup are written back. Objects that it does not have stay, and buckets that an operator entered do, too."</li>
        }
    });
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
            <ol class="plain">
                <li>"The files of the backup are checked. If one is damaged, nothing is changed."</li>
                <li>"Visitors get the maintenance page."</li>
                <li>
                    "The present databases are replaced. "
                    <b>"What was written since " {at} " (" {move || ago(created, now.get())} ") is lost."</b>
                </li>
                {written_back}
                <li>"When all are complete, the maintenance page is taken down, unless it was up before."</li>
            </ol>
            <p>"App servers keep running meanwhile, with their background workers. If what the databases hold now may be needed, make a backup first."</p>
            {left_out}
            <ConfirmField wanted=name typed/>
        </AskDialog>
    }
}

#[component]
pub(super) fn DeleteDialog(
    backup: Backup,
    /// Whether no other backup could be restored.
    is_last: bool,
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let (id, one) = (backup.instance_id, backup.id);
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::backups::delete(id, one).await;
            data.refresh(Key::Backups(id));
            answer.map(|_| "The backup is being deleted.".to_owned())
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title=format!("Delete the backup of {}?", exact(backup.created, &Local))
            words="Permanently deletes its files, and copies of objects that no other backup uses. The instance, its databases and buckets are unchanged."
            confirm="Delete backup"
            is_grave=true
            has_reason=false
            act
            on_close
        >
            {is_last.then(|| view! { <p class="why">"It is the only complete backup of this instance."</p> })}
        </AskDialog>
    }
}
