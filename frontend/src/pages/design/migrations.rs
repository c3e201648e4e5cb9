//! Builds that migrate databases: what the dialogs of a launch and of a rollback say, and the notice in each state.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::InstanceBackups;
use shared_types::migration::{Migration, MigrationState, NextMigration};

use crate::components::{
    MigratedSince, MigrationNotice, NextMigrationWords, Snapshot, Undo, UndoChoice, backup_samples, migration_samples,
};
use crate::ui::Dialog;

const INSTANCE: InstanceId = InstanceId(7);

/// With a snapshot, without the page, and where no snapshot can be taken.
pub(super) fn launches() -> AnyView {
    let why_no_snapshot = Some("The instance's databases were entered by an operator.".to_owned());
    let without = NextMigration { why_no_snapshot, ..migration_samples::next() };
    let samples = [(migration_samples::next(), false), (migration_samples::next(), true), (without, false)];
    let one = |(next, without_page)| {
        view! { <div class="stack"><NextMigrationWords next without_page=RwSignal::new(without_page)/></div> }
    };
    view! {
        <div class="stack">
            {samples.map(one).collect_view()}
            {opened("Launch new AppServer?", || {
                view! { <NextMigrationWords next=migration_samples::next() without_page=RwSignal::new(false)/> }.into_any()
            })}
        </div>
    }
    .into_any()
}

/// The notice of each state that has one.
pub(super) fn notices() -> AnyView {
    let at = Utc::now() - TimeDelta::hours(2);
    let gone = Migration { backup_id: None, ..migration_samples::migration(MigrationState::NeedsPerson, at) };
    let every_state = MigrationState::ALL.iter().map(|state| migration_samples::migration(*state, at));
    let notice = |migration: Migration| {
        let dismiss = migration.state.can_be_dismissed().then(|| Callback::new(|()| {}));
        view! { <MigrationNotice id=INSTANCE migration dismiss is_busy=RwSignal::new(false)/> }
    };
    let shown = every_state.chain([gone]).filter(|migration| migration.words().is_some());
    view! { <div>{shown.map(notice).collect_view()}</div> }.into_any()
}

/// A rollback that can restore the snapshot, one that cannot now, and one whose snapshot is deleted.
pub(super) fn rollbacks() -> AnyView {
    let idle = || backup_samples::idle(Utc::now());
    let unreadable = InstanceBackups { why_no_restore: Some("Name the file with the key.".into()), ..idle() };
    let at = Utc::now() - TimeDelta::hours(3);
    let gone = Migration { backup_id: None, ..migration_samples::migration(MigrationState::Done, at) };
    view! {
        <div class="stack">
            {choice(idle())}
            {choice(unreadable)}
            <MigratedSince id=INSTANCE migration=gone is_restore_offered=false/>
            {opened("Roll back to AppServer 1?", move || choice(idle()))}
        </div>
    }
    .into_any()
}

fn choice(all: InstanceBackups) -> AnyView {
    let Some(newest) = all.items.first() else { return ().into_any() };
    let snapshot = Snapshot { id: newest.id, at: newest.created };
    let migration = migration_samples::migration(MigrationState::Done, newest.created);
    let name = "Astronomy Academy".to_owned();
    let undo = Undo::new(name.clone());
    let all = Arc::new(all);
    let backups = Memo::new(move |_| Some(Arc::clone(&all)));
    view! {
        <MigratedSince id=INSTANCE migration is_restore_offered=true/>
        <UndoChoice undo snapshot instance=name target="AppServer 1".to_owned() backups/>
    }
    .into_any()
}

/// A button that opens a dialog with this.
fn opened(title: &'static str, content: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    let is_open = RwSignal::new(false);
    let on_close = Callback::new(move |()| is_open.set(false));
    view! {
        <p><button type="button" on:click=move |_| is_open.set(true)>"Open the dialog"</button></p>
        {move || is_open.get().then(|| {
            let body = content();
            view! {
                <Dialog label=title on_close>
                    <header><h1>{title}</h1></header>
                    <div class="body">{body}</div>
                    <footer><button type="button" on:click=move |_| on_close.run(())>"Cancel"</button></footer>
                </Dialog>
            }
        })}
    }
    .into_any()
}
