//! Builds that migrate databases: what a launch would do, what became of one, and what a rollback does not undo.

#[cfg(any(test, debug_assertions))]
pub mod samples;
mod words;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::migration::{Migration, MigrationState, NextMigration};
use shared_types::{AppServerId, Instance, InstanceId, Role};
use std::sync::Arc;

use super::possible::PossibleButton;
use crate::api;
use crate::paths::{Page, Tab};
use crate::state::data::Key;
use crate::state::{About, state};
use crate::ui::{Icon, Shape};

/// What the next launch does to the databases, and whether visitors get the maintenance page meanwhile.
#[component]
pub fn NextMigrationWords(
    next: NextMigration,
    /// Whether visitors go on meanwhile.
    without_page: RwSignal<bool>,
) -> impl IntoView {
    let snapshot = words::snapshot(&next);
    let left_out = words::left_out(&next);
    let NextMigration { from, to, why_no_snapshot, .. } = next;
    let course = move || words::course(without_page.get());
    view! {
        <div class="notice" role="note" aria-label="Migration">
            <Icon shape=Shape::Warning/>
            <span class="grow">
                <b>{format!("This build migrates the databases from {from} to {to}.")}</b>
                " "
                {snapshot}
                {left_out}
            </span>
        </div>
        {why_no_snapshot.is_none().then(|| view! {
            <p>{course}</p>
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=without_page
                    on:change=move |event| without_page.set(event_target_checked(&event))
                />
                "Without the maintenance page"
            </label>
        })}
    }
}

/// Shown while a build migrates the databases, and after one that failed.
#[component]
pub fn MigrationBanner(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let state = state();
    let id = instance.with_untracked(|instance| instance.summary.id);
    let shown = Memo::new(move |_| instance.with(|instance| instance.migration_to_show().cloned()));
    let is_busy = RwSignal::new(false);
    let dismiss = move |of: AppServerId| {
        Callback::new(move |()| {
            is_busy.set(true);
            spawn_local(async move {
                if let Err(error) = api::instances::dismiss_migration(id, of).await {
                    state.failed_about(About::Instance(id), "Dismissing failed", &error);
                }
                is_busy.try_set(false);
                state.data.refresh(Key::Instance(id));
            });
        })
    };
    move || {
        let migration = shown.get()?;
        migration.words()?;
        let dismiss = migration.state.can_be_dismissed().then(|| dismiss(migration.app_server_id));
        Some(view! { <MigrationNotice id migration dismiss is_busy/> })
    }
}

/// What became of a build that migrates databases.
#[component]
pub fn MigrationNotice(
    /// The instance.
    id: InstanceId,
    migration: Migration,
    /// Takes the notice away; none: it goes by itself.
    dismiss: Option<Callback<()>>,
    is_busy: RwSignal<bool>,
) -> impl IntoView {
    let is_bad = migration.state == MigrationState::NeedsPerson;
    let told = migration.words();
    view! {
        <div class=if is_bad { "notice bad" } else { "notice" } role="status" aria-label="Migration">
            <Icon shape=Shape::Warning/>
            <span class="grow">
                <b>{migration.app_server_name.clone()}</b>
                " " {told} " "
                {is_bad.then(|| words::loss(&migration))}
                " "
                <a href=Page::Instance(id, Tab::Data).to_string()>"Backups"</a>
            </span>
            {dismiss.map(|on_click| view! {
                <PossibleButton role=Role::Operator shape=Shape::Cross label="Dismiss" is_busy on_click/>
            })}
        </div>
    }
}

/// Shown before the traffic moves to an app server from before a migration.
#[component]
pub fn MigratedSince(
    /// The instance.
    id: InstanceId,
    migration: Migration,
    /// Whether the restore of its snapshot is offered below.
    is_restore_offered: bool,
) -> impl IntoView {
    let since = words::since(&migration);
    let loss = (!is_restore_offered).then(|| {
        let data = Page::Instance(id, Tab::Data).to_string();
        view! { " " {words::loss(&migration)} " " <a href=data>"Backups"</a> }
    });
    view! {
        <div class="notice bad" role="note" aria-label="Migration">
            <Icon shape=Shape::Warning/>
            <span class="grow"><b>{migration.app_server_name}</b> " " {since} {loss}</span>
        </div>
    }
}
