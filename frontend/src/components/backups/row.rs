//! A backup in the list, and what can be done with it.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::backup::{Backup, InstanceBackups};
use shared_types::{InstanceId, Role};
use std::sync::Arc;

use super::possible::{can_delete, can_restore, can_verify};
use super::{Asked, words};
use crate::api;
use crate::components::PossibleButton;
use crate::state::data::Key;
use crate::state::{About, clock, state};
use crate::ui::{Icon, Shape};
use crate::words::{ago, exact, sentence};

#[component]
pub(super) fn Row(
    id: InstanceId,
    backup: Memo<Backup>,
    backups: Memo<Arc<InstanceBackups>>,
    is_archived: Memo<bool>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let created = backup.with_untracked(|one| one.created);
    let reason = backup.with_untracked(words::reason);
    let so_far = move || backup.with(words::so_far);
    let trouble = Memo::new(move |_| backup.with(|one| one.trouble.as_deref().and_then(sentence)));
    let (verified, restored) =
        (Memo::new(move |_| backup.with(|one| one.verified)), Memo::new(move |_| backup.with(|one| one.restored)));
    let why = move || trouble.get().map(|why| view! { <div class="why" role="status">{why}</div> });
    let proof = move || match verified.get() {
        Some(at) => view! { <Time at/> }.into_any(),
        None => view! { <span class="unset">"Never"</span> }.into_any(),
    };
    let last_restore = move || restored.get().map(|at| view! { <small>"Restored " <Time at/></small> });
    view! {
        <tr role="row">
            <td role="cell" class="when"><b><Time at=created/></b> <small dir="auto">{reason}</small></td>
            <td role="cell" class="now"><StateLabel backup/> <small>{so_far}</small> {why}</td>
            <td role="cell" class="held">
                <span title=move || backup.with(words::sizes)>{move || backup.with(words::size).unwrap_or_else(|| "–".to_owned())}</span>
                <small>{move || backup.with(words::contents)}</small>
            </td>
            <td role="cell" class="proof">{proof} {last_restore}</td>
            <td role="cell" class="acts"><Buttons id backup backups is_archived asked/></td>
        </tr>
    }
}

/// How long ago, with the exact local time as its title.
#[component]
fn Time(at: DateTime<Utc>) -> impl IntoView {
    let now = clock::now();
    view! { <time datetime=at.to_rfc3339() title=exact(at, &Local)>{move || ago(at, now.get())}</time> }
}

#[component]
fn StateLabel(backup: Memo<Backup>) -> impl IntoView {
    let label = Memo::new(move |_| backup.with(words::label));
    move || {
        let (tone, shape, words) = label.get();
        view! { <span class=format!("label {tone}")><Icon shape/>{words}</span> }
    }
}

#[component]
fn Buttons(
    id: InstanceId,
    backup: Memo<Backup>,
    backups: Memo<Arc<InstanceBackups>>,
    is_archived: Memo<bool>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let state = state();
    let is_asking = RwSignal::new(false);
    let one = backup.with_untracked(|one| one.id);
    let verify = Callback::new(move |()| {
        is_asking.set(true);
        spawn_local(async move {
            if let Err(error) = api::backups::verify(id, one).await {
                state.failed_about(About::Instance(id), "Verifying the backup failed", &error);
            }
            state.data.refresh(Key::Backups(id));
            is_asking.try_set(false);
        });
    });
    let restore = Callback::new(move |()| asked.set(Some(Asked::Restore(backup.get_untracked()))));
    let delete = Callback::new(move |()| asked.set(Some(Asked::Delete(backup.get_untracked()))));
    let verifiable = Signal::derive(move || backups.with(|all| backup.with(|one| can_verify(one, all))));
    let restorable =
        Signal::derive(move || backups.with(|all| backup.with(|one| can_restore(one, all, is_archived.get()))));
    let deletable = Signal::derive(move || backup.with(can_delete));
    view! {
        <PossibleButton
            possible=verifiable
            is_busy=is_asking
            shape=Shape::Check
            label="Verify"
            hint="Loads it into databases made for this, looks for all tables, and deletes them. Compares the checksums of objects."
            on_click=verify
        />
        <PossibleButton possible=restorable role=Role::Admin shape=Shape::Undo label="Restore…" on_click=restore/>
        <PossibleButton possible=deletable role=Role::Admin shape=Shape::Trash label="Delete…" on_click=delete/>
    }
}
