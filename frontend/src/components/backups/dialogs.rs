//! The dialogs that restore and delete a backup.

use chrono::Local;
use futures::FutureExt;
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::Backup;

use super::restoring::RestoreWords;
use super::words;
use crate::api;
use crate::components::confirm_field::must_type;
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::state;
use crate::words::exact;

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
    let (one, created) = (backup.id, backup.created);
    let typed = RwSignal::new(String::new());
    let why_not = must_type(typed, name.clone(), "Type its name first.");
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::backups::restore(id, one, typed.get_untracked(), None).await;
            data.refresh(Key::Backups(id));
            answer.map(|_| "The backup is being restored.".to_owned())
        }
        .boxed_local()
    });
    let wanted = name.clone();
    view! {
        <AskDialog
            title=format!("Restore the backup of {}?", exact(created, &Local))
            words=format!("Replaces the databases of {name}: {}.", words::databases(&backup))
            confirm="Restore"
            is_grave=true
            has_reason=false
            why_not
            act
            on_close
        >
            <RestoreWords name=wanted created left_out typed/>
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
            words="Permanently deletes its files. The instance and its databases are unchanged."
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
