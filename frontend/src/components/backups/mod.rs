//! The backups of what an instance has outside its machines: the card, its dialogs, and what is said about them before a purge.

mod button;
mod dialogs;
mod last;
mod possible;
mod restore;
mod restoring;
mod row;
#[cfg(any(test, debug_assertions))]
pub mod samples;
mod words;

use leptos::prelude::*;
use shared_types::backup::{Backup, InstanceBackups};
use shared_types::{BackupId, InstanceId};
use std::sync::Arc;

use self::button::BackUpButton;
use self::dialogs::DeleteDialog;
use self::restore::RestoreDialog;
use self::row::Row;
use super::sending::Sending;
use crate::state::clock;
use crate::ui::{Alert, Icon, Shape};

pub use last::LastBackup;
pub use possible::{at_work, can_restore_now};
pub use restoring::{RestoreProgress, RestoreWords};

const COLUMNS: [&str; 5] = ["Made", "State", "Size", "Verified", "Actions"];

/// The dialog that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Restore(Backup),
    Delete(Backup),
}

#[component]
pub fn BackupsCard(
    id: InstanceId,
    /// The instance's name.
    name: Memo<String>,
    is_archived: Memo<bool>,
    backups: Memo<Arc<InstanceBackups>>,
) -> impl IntoView {
    let sending = Sending::new(None);
    let count = move || backups.with(|all| all.items.len());
    let asked = RwSignal::new(None::<Asked>);
    let on_close = Callback::new(move |()| asked.set(None));
    let dialog = move || match asked.get() {
        None => ().into_any(),
        Some(Asked::Restore(backup)) => {
            let (name, left_out) = (name.get_untracked(), backups.with_untracked(|all| all.left_out.clone()));
            view! { <RestoreDialog id name backup left_out on_close/> }.into_any()
        }
        Some(Asked::Delete(backup)) => {
            let is_last = backups.with_untracked(|all| words::is_last_complete(&backup, all));
            view! { <DeleteDialog backup is_last on_close/> }.into_any()
        }
    };
    view! {
        <section class="card sized" aria-label="Backups">
            <header>
                <h2>"Backups"</h2>
                <span class="fine">{count}</span>
                <span class="right"><BackUpButton id backups sending label="Back up now"/></span>
            </header>
            <Alert why=sending.why_not/>
            <Scope is_archived backups/>
            <Rows id backups is_archived asked/>
        </section>
        {dialog}
    }
}

/// What a backup contains, when one is made, and what keeps backups from being made or restored.
#[component]
fn Scope(is_archived: Memo<bool>, backups: Memo<Arc<InstanceBackups>>) -> impl IntoView {
    let now = clock::now();
    let contents = Memo::new(move |_| backups.with(|all| all.contents.clone()));
    let left_out = Memo::new(move |_| backups.with(|all| all.left_out.clone()));
    let schedule = Memo::new(move |_| backups.with(|all| words::schedule(all, is_archived.get(), now.get())));
    let notes = Memo::new(move |_| backups.with(|all| words::notes(all)));
    let lines = |all: Vec<String>| all.into_iter().map(|one| view! { <div>{one}</div> }).collect_view();
    let note = |(what, why): (&'static str, String)| {
        view! {
            <div class="notice" role="note" aria-label=what>
                <Icon shape=Shape::Warning/>
                <span class="grow"><b>{what}</b> " " {why}</span>
            </div>
        }
    };
    view! {
        <div class="body">
            {move || notes.get().into_iter().map(note).collect_view()}
            <dl>
                <Show when=move || contents.with(|all| !all.is_empty())>
                    <dt>"Contains"</dt>
                    <dd>{move || lines(contents.get())}</dd>
                </Show>
                <Show when=move || left_out.with(|all| !all.is_empty())>
                    <dt>"Left out"</dt>
                    <dd>{move || lines(left_out.get())}</dd>
                </Show>
                <dt>"Schedule"</dt>
                <dd>{schedule}</dd>
            </dl>
        </div>
    }
}

#[component]
fn Rows(
    id: InstanceId,
    backups: Memo<Arc<InstanceBackups>>,
    is_archived: Memo<bool>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let ids = Memo::new(move |_| backups.with(|all| all.items.iter().map(|one| one.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    // The roles are repeated because browsers drop those of a table that is not displayed as one.
    view! {
        <Show
            when=move || !is_empty.get()
            fallback=|| view! { <p class="body fine">"There is no backup yet."</p> }
        >
            <table class="table backups" role="table">
                <thead role="rowgroup">
                    <tr role="row">
                        {COLUMNS.map(|name| view! { <th role="columnheader" scope="col">{name}</th> }).collect_view()}
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || ids.get() key=|id| *id let:one>
                        {backup_of(backups, one).map(|backup| view! { <Row id backup backups is_archived asked/> })}
                    </For>
                </tbody>
            </table>
        </Show>
    }
}

/// One backup, as last known: it may be gone before its view is removed.
fn backup_of(backups: Memo<Arc<InstanceBackups>>, id: BackupId) -> Option<Memo<Backup>> {
    let find = move |all: &Arc<InstanceBackups>| all.items.iter().find(|one| one.id == id).cloned();
    let first = backups.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&Backup>| backups.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}
