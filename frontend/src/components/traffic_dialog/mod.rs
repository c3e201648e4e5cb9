//! The dialog before the traffic moves, forward or back: both app servers, their differences, the checks, the reason.

mod checks;
mod inputs;
mod moving;
mod sides;
mod undo;

use leptos::prelude::*;
use shared_types::app_server::Activation;
use shared_types::{AppServerId, AppServerSummary, Instance, InstanceId};
use std::sync::Arc;

use self::inputs::{Buttons, Inputs};
use self::moving::{Move, confirm};
use self::sides::{Difference, FromTo};
use self::undo::confirm_both;
use super::data_place::DataLoss;
use super::migration::MigratedSince;
use super::rolled_back::{RollBackWords, rolled_back_from};
use super::switch::SwitchSteps;
use crate::parts;
use crate::state::{Fetched, state};
use crate::ui::{Alert, Dialog, Icon, Shape};

pub use self::undo::{Backups, Snapshot, Undo, UndoChoice, Undoing};

/// The direction of the switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To another app server.
    Forward,
    /// To the fallback; also sets a hold.
    Back,
}

impl Way {
    fn title(self, name: &str) -> String {
        match self {
            Self::Forward => format!("Activate {name}?"),
            Self::Back => format!("Roll back to {name}?"),
        }
    }

    fn confirm(self, name: &str) -> String {
        match self {
            Self::Forward => format!("Activate {name}"),
            Self::Back => format!("Roll back to {name}"),
        }
    }
}

/// The dialog for one app server.
#[component]
pub fn TrafficDialog(
    /// The instance when the dialog was opened: its active app server (if any) is the one that is replaced.
    instance: Arc<Instance>,
    target: AppServerSummary,
    way: Way,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let active = instance.summary.active_appserver.clone();
    let (id, title, done) = (target.id, way.title(&target.name), format!("Rollback to {}", target.name));
    let now = kept_up_to_date(&instance);
    let undo = Undo::new(instance.summary.name.clone());
    let this = Move::new(way, is_overtaken(now, active.as_ref().map(|active| active.id)), undo);
    let activations = state().data.activations(target.instance_id);
    let last = Memo::new(move |_| activations.with(|all| all.here()?.first().cloned()));
    let last_before = RwSignal::new(None);
    // The switch that this dialog requested, once it is decided.
    let switch =
        Memo::new(move |_| last.get().filter(|last| last.app_server_id == id && Some(last.id) != last_before.get()));
    this.check(id);
    let snapshot = instance.migration_after(id).and_then(Snapshot::of).filter(|_| way == Way::Back);
    let send = confirm(this, target.clone(), active.clone(), on_close);
    let send_both = confirm_both(this, target.clone(), snapshot, on_close);
    let confirm = Callback::new(move |()| {
        last_before.set(last.with_untracked(|last| last.as_ref().map(|last| last.id)));
        if undo.is_chosen.get_untracked() { send_both.run(()) } else { send.run(()) }
    });
    let intro = {
        let (domain, active) = (instance.summary.domain.clone(), active.clone());
        move || if undo.is_chosen.get() { both_intro(&domain) } else { intro(way, &domain, active.as_ref()) }
    };
    let content = move || match undo.requested.get() {
        Some(requested) => parts::show(move || parts::undoing(requested.clone(), now, switch, on_close)),
        None => {
            let (instance, target, active) = (Arc::clone(&instance), target.clone(), active.clone());
            view! { <Deciding this instance target active snapshot now switch confirm on_close/> }.into_any()
        }
    };
    view! {
        <Dialog label=title.clone() is_busy=this.is_busy on_close>
            <header>
                <h1>{move || if undo.requested.with(Option::is_some) { done.clone() } else { title.clone() }}</h1>
                <p>{intro}</p>
            </header>
            {content}
        </Dialog>
    }
}

/// What is known about the switch, and what a person decides.
#[component]
fn Deciding(
    this: Move,
    instance: Arc<Instance>,
    target: AppServerSummary,
    active: Option<AppServerSummary>,
    /// What a rollback can restore.
    snapshot: Option<Snapshot>,
    /// The instance, kept up to date.
    now: Memo<Arc<Instance>>,
    switch: Memo<Option<Activation>>,
    confirm: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let (way, id, name, instance_id) = (this.way, target.id, target.name.clone(), target.instance_id);
    let trouble = Memo::new(move |_| this.trouble());
    let activations = state().data.activations(instance_id);
    let since = instance.migration_after(id).cloned().map(|migration| {
        view! { <MigratedSince id=instance_id migration is_restore_offered=snapshot.is_some()/> }
    });
    let choice = snapshot.map(|snapshot| {
        let backups = backups_of(instance_id);
        let (undo, instance, target) = (this.undo, instance.summary.name.clone(), name.clone());
        parts::show(move || parts::undo_choice(undo, snapshot, instance.clone(), target.clone(), backups))
    });
    view! {
        <div class="body">
            {(way == Way::Forward).then(|| view! { <RolledBackBefore activations id name=name.clone()/> })}
            <FromTo active=active.clone() target=target.clone()/>
            {since}
            {choice}
            {active.clone().map(|active| view! { <DataLoss active target=target.clone()/> })}
            {active.clone().map(|active| view! { <Difference active target/> })}
            <Inputs this id active=active.clone()/>
            <Show when=move || this.is_busy.get()>
                <SwitchSteps instance=now activation=switch/>
            </Show>
            <Alert why=trouble/>
            <span class="fine">{aftermath(way, active.as_ref())}</span>
        </div>
        <Buttons this name confirm on_close/>
    }
}

/// The backups of an instance; none until they are fetched.
fn backups_of(id: InstanceId) -> Backups {
    let fetched = state().data.backups(id);
    Memo::new(move |_| fetched.with(|all| all.here().map(Arc::clone)))
}

/// The instance as it is now; as it was when the dialog was opened until it is fetched.
fn kept_up_to_date(instance: &Arc<Instance>) -> Memo<Arc<Instance>> {
    let fetched = state().data.instance(instance.summary.id);
    let before = Arc::clone(instance);
    Memo::new(move |_| fetched.with(|now| now.here().map_or_else(|| Arc::clone(&before), Arc::clone)))
}

/// Whether another app server is active now than when the dialog was opened.
fn is_overtaken(now: Memo<Arc<Instance>>, active: Option<AppServerId>) -> Memo<bool> {
    Memo::new(move |_| now.with(|now| now.summary.active_appserver.as_ref().map(|active| active.id)) != active)
}

/// Shown if the app server was rolled back from: by whom, when, and why.
#[component]
fn RolledBackBefore(activations: Memo<Fetched<Vec<Activation>>>, id: AppServerId, name: String) -> impl IntoView {
    let roll_back = Memo::new(move |_| activations.with(|history| rolled_back_from(history.here()?, id).cloned()));
    move || {
        roll_back.get().map(|activation| {
            view! {
                <div class="notice bad" role="note" aria-label="Rolled back">
                    <Icon shape=Shape::Undo/>
                    <span class="grow"><RollBackWords name=name.clone() activation/></span>
                </div>
            }
        })
    }
}

fn intro(way: Way, domain: &str, active: Option<&AppServerSummary>) -> String {
    match (way, active) {
        (Way::Forward, Some(active)) => {
            format!("New requests to {domain} go to it immediately; open requests finish on {}.", active.name)
        }
        (Way::Back, Some(active)) => {
            format!("New requests to {domain} go back to it immediately; open requests finish on {}.", active.name)
        }
        (Way::Forward | Way::Back, None) => {
            format!("Requests to {domain} go to it immediately; no app server is active now.")
        }
    }
}

fn both_intro(domain: &str) -> String {
    format!(
        "{domain} goes back to it behind the maintenance page, with the databases as they were before the migration."
    )
}

fn aftermath(way: Way, active: Option<&AppServerSummary>) -> String {
    match (way, active) {
        (Way::Forward, Some(active)) => {
            format!("To undo: Roll back. {} keeps running as the fallback.", active.name)
        }
        (Way::Forward, None) => "This is the first activation; there is no fallback yet.".to_owned(),
        (Way::Back, _) => "Also puts automatic activation on hold until you release it. Builds continue.".to_owned(),
    }
}
