//! The second choice of a rollback over a migration: the snapshot from before it is restored, too.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::{Activation, Possible};
use shared_types::backup::{Backup, InstanceBackups, RestoreBackup};
use shared_types::migration::Migration;
use shared_types::{AppServerSummary, BackupId, Instance, Role};
use std::sync::Arc;

use super::moving::{Move, refresh};
use crate::api;
use crate::components::backups::{RestoreProgress, RestoreWords, can_restore_now};
use crate::components::confirm_field::{ConfirmField, must_type};
use crate::components::switch::SwitchSteps;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::words::{ago, exact};

/// The backups of an instance; none until they are fetched.
pub type Backups = Memo<Option<Arc<InstanceBackups>>>;

/// The snapshot from before a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    pub id: BackupId,
    /// When it was requested: a restore loses what was written later.
    pub at: DateTime<Utc>,
}

impl Snapshot {
    /// That of a migration; none: it is deleted.
    pub fn of(migration: &Migration) -> Option<Self> {
        Some(Self { id: migration.backup_id?, at: migration.snapshot_at? })
    }
}

/// What was chosen, and what was typed to confirm it.
#[derive(Clone, Copy)]
pub struct Undo {
    /// Whether the snapshot is restored.
    pub is_chosen: RwSignal<bool>,
    pub typed: RwSignal<String>,
    why_not: Memo<Option<&'static str>>,
    /// The snapshot whose restore the server has begun.
    pub requested: RwSignal<Option<Backup>>,
}

impl Undo {
    /// Nothing is chosen. `name`: the instance's name.
    pub fn new(name: String) -> Self {
        let typed = RwSignal::new(String::new());
        let why_not = must_type(typed, name, "Type the instance's name first.");
        Self { is_chosen: RwSignal::new(false), typed, why_not, requested: RwSignal::new(None) }
    }

    pub fn possible(self) -> Possible {
        match self.why_not.get().filter(|_| self.is_chosen.get()) {
            Some(why) => Possible::No(why),
            None => Possible::Yes,
        }
    }
}

/// Whether the databases stay as they are, or the snapshot is restored.
#[component]
pub fn UndoChoice(
    undo: Undo,
    snapshot: Snapshot,
    /// The instance's name.
    instance: String,
    /// The name of the app server that gets the traffic.
    target: String,
    backups: Backups,
) -> impl IntoView {
    let (now, session) = (clock::now(), state().session);
    let Snapshot { id, at } = snapshot;
    let why_not = Memo::new(move |_| {
        if session.may(Role::Admin) != Possible::Yes {
            return Some("Only an administrator can restore it.");
        }
        backups.with(|all| match all {
            Some(all) => can_restore_now(id, all).why_not(),
            None => Some("The list of backups is being read."),
        })
    });
    let left_out =
        move || backups.with_untracked(|all| all.as_ref().map(|all| all.left_out.clone()).unwrap_or_default());
    let keeps = format!("{target} may not work with them. The snapshot can be restored later, on the Data tab.");
    let when = exact(at, &Local);
    view! {
        <fieldset class="kinds">
            <legend>"Databases"</legend>
            <label class="kind" for="undo-keep">
                <input
                    id="undo-keep"
                    type="radio"
                    name="undo"
                    prop:checked=move || !undo.is_chosen.get()
                    on:change=move |_| undo.is_chosen.set(false)
                />
                <span><b>"Keep the databases as they are"</b> <small>{keeps}</small></span>
            </label>
            <label class="kind" for="undo-restore">
                <input
                    id="undo-restore"
                    type="radio"
                    name="undo"
                    disabled=move || why_not.get().is_some()
                    prop:checked=move || undo.is_chosen.get()
                    on:change=move |_| undo.is_chosen.set(true)
                />
                <span>
                    <b>{format!("Restore the snapshot of {when}")}</b>
                    <small>"Taken " {move || ago(at, now.get())} ". What was written since is lost."</small>
                    {move || why_not.get().map(|why| view! { <small class="why">{why}</small> })}
                </span>
            </label>
        </fieldset>
        <Show when=move || undo.is_chosen.get()>
            <RestoreWords created=at left_out=left_out() rolls_back_to=target.clone()/>
            <ConfirmField wanted=instance.clone() typed=undo.typed/>
        </Show>
    }
}

/// Rolls back and restores the snapshot; the dialog then shows how far both have come.
pub fn confirm_both(
    this: Move,
    target: AppServerSummary,
    snapshot: Option<Snapshot>,
    on_close: Callback<()>,
) -> Callback<()> {
    let state = state();
    Callback::new(move |()| {
        let Some(Snapshot { id, .. }) = snapshot else { return };
        let (target, instance) = (target.clone(), target.instance_id);
        let (confirm, roll_back) = (this.undo.typed.get_untracked(), this.rollback(target.id));
        this.begin();
        spawn_local(async move {
            let wanted = RestoreBackup { confirm, into: None, roll_back: Some(roll_back) };
            let answer = api::backups::restore(instance, id, &wanted).await;
            this.is_busy.try_set(false);
            match answer {
                Ok(requested) => {
                    this.undo.requested.try_set(Some(requested));
                }
                Err(error) => this.refused(state, &error, target.id, on_close),
            }
            refresh(state, &target);
            state.data.refresh(Key::Backups(instance));
        });
    })
}

/// How far the switch and the restore have come. Both go on when the dialog is closed.
#[component]
pub fn Undoing(
    requested: Backup,
    instance: Memo<Arc<Instance>>,
    /// The switch; none until it is read.
    #[prop(into)]
    activation: Signal<Option<Activation>>,
    on_close: Callback<()>,
) -> impl IntoView {
    view! {
        <div class="body">
            <SwitchSteps instance activation/>
            <RestoreProgress requested/>
        </div>
        <footer>
            <button type="button" on:click=move |_| on_close.run(())>"Close"</button>
        </footer>
    }
}
