//! Builds that migrate databases: what a launch would do, what became of one, and what a rollback does not undo.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::migration::{Migration, MigrationState, NextMigration};
use shared_types::{AppServerId, Instance, Role};
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
    let NextMigration { from, to, contents, left_out, why_no_snapshot } = next;
    let has_snapshot = why_no_snapshot.is_none();
    let course = move || match without_page.get() {
        false => {
            "Visitors get the maintenance page from before the snapshot until you activate the new app server. If the build fails, its \
             machine is deleted, the snapshot is restored, and the active app server serves again."
        }
        true => {
            "Visitors go on to use the site. If the build fails, nothing is restored by itself: you decide, and a restore would lose what \
             visitors wrote since the snapshot."
        }
    };
    view! {
        <div class="notice" role="note" aria-label="Migration">
            <Icon shape=Shape::Warning/>
            <span class="grow">
                <b>{format!("This build migrates the databases from {from} to {to}.")}</b>
                " "
                {match why_no_snapshot {
                    Some(why) => format!("No snapshot is taken before: {why}"),
                    None => format!("Before it does, a snapshot is taken: {}.", contents.join(", ")),
                }}
                {(has_snapshot && !left_out.is_empty()).then(|| format!(" Not in it: {}.", left_out.join("; ")))}
            </span>
        </div>
        {has_snapshot.then(|| view! {
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
        let words = migration.words()?;
        let is_bad = migration.state == MigrationState::NeedsPerson;
        let dismiss = migration.state.can_be_dismissed().then(|| dismiss(migration.app_server_id));
        Some(view! {
            <div class=if is_bad { "notice bad" } else { "notice" } role="status" aria-label="Migration">
                <Icon shape=Shape::Warning/>
                <span class="grow">
                    <b>{migration.app_server_name.clone()}</b>
                    " " {words} " "
                    {is_bad.then(|| loss(&migration))}
                    " "
                    <a href=Page::Instance(id, Tab::Data).to_string()>"Backups"</a>
                </span>
                {dismiss.map(|on_click| view! {
                    <PossibleButton role=Role::Operator shape=Shape::Cross label="Dismiss" is_busy on_click/>
                })}
            </div>
        })
    }
}

/// Shown before the traffic moves to an app server from before a migration.
#[component]
pub fn MigratedSince(
    instance: Arc<Instance>,
    /// The app server that is to get the traffic.
    target: AppServerId,
) -> impl IntoView {
    let data = Page::Instance(instance.summary.id, Tab::Data).to_string();
    instance.migration_after(target).cloned().map(|migration| {
        let words = format!(
            " has migrated the databases from {} to {} since. The switch does not undo that, and the older app server may not work with \
             them. ",
            migration.from, migration.to
        );
        view! {
            <div class="notice bad" role="note" aria-label="Migration">
                <Icon shape=Shape::Warning/>
                <span class="grow">
                    <b>{migration.app_server_name.clone()}</b>
                    {words}
                    {loss(&migration)}
                    " "
                    <a href=data>"Backups"</a>
                </span>
            </div>
        }
    })
}

/// What a restore of the snapshot would lose.
fn loss(migration: &Migration) -> String {
    match (migration.backup_id, migration.snapshot_at) {
        (Some(backup), Some(at)) => {
            format!("Backup {backup} can be restored: what was written since {} would be lost.", time(at))
        }
        (None, _) | (_, None) => "Its snapshot is deleted.".to_owned(),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.with_timezone(&Local).format("%-d %b %Y, %H:%M").to_string()
}
