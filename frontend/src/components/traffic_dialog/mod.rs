//! The dialog before the traffic moves, forward or back: both app servers, their differences, the checks, the reason.

mod checks;
mod sides;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::{Activation, Checks, Possible};
use shared_types::operations::{ActivateAppServer, ActivationResult, Rollback, can_move, parse_drain_limit};
use shared_types::{AppServerId, AppServerSummary, Instance};
use std::sync::Arc;

use self::checks::{CheckResult, Force};
use self::sides::{Difference, FromTo};
use super::ask_dialog::ReasonField;
use super::rolled_back::{RollBackWords, rolled_back_from};
use super::switch::SwitchSteps;
use crate::api;
use crate::state::data::Key;
use crate::state::{About, Claim, Fetched, state};
use crate::ui::{Dialog, Icon, Shape};
use crate::words;

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

/// The input and the state of the dialog.
#[derive(Clone, Copy)]
struct Move {
    way: Way,
    checks: RwSignal<Option<api::Result<Checks>>>,
    reason: RwSignal<String>,
    force: RwSignal<bool>,
    drain_limit: RwSignal<String>,
    is_busy: RwSignal<bool>,
    why_not: RwSignal<Option<String>>,
    /// Whether another user has activated an app server since the dialog was opened.
    is_overtaken: Memo<bool>,
}

impl Move {
    fn new(way: Way, is_overtaken: Memo<bool>) -> Self {
        Self {
            way,
            checks: RwSignal::new(None),
            reason: RwSignal::default(),
            force: RwSignal::new(false),
            drain_limit: RwSignal::default(),
            is_busy: RwSignal::new(false),
            why_not: RwSignal::new(None),
            is_overtaken,
        }
    }

    /// Whether the checks passed; none while they run, or if they could not be run.
    fn passed(self) -> Option<bool> {
        self.checks.with(|checks| match checks {
            Some(Ok(checks)) => Some(checks.passed()),
            Some(Err(_)) | None => None,
        })
    }

    fn drain_error(self) -> Option<String> {
        self.drain_limit.with(|typed| parse_drain_limit(typed).err())
    }

    fn possible(self) -> Possible {
        if self.is_overtaken.get() && !self.is_busy.get() {
            return Possible::No(OVERTAKEN);
        }
        if self.drain_error().is_some() {
            return Possible::No("Enter a drain limit of 0 to 3600 seconds.");
        }
        self.reason.with(|reason| can_move(self.way == Way::Back, self.passed(), self.force.get(), reason))
    }

    /// Checks are skipped only if they have failed.
    fn forces(self) -> bool {
        untrack(move || self.passed() == Some(false) && self.force.get())
    }

    async fn send(self, target: &AppServerSummary, active: Option<&AppServerSummary>) -> api::Result<ActivationResult> {
        let reason = words::reason(&self.reason.get_untracked());
        match self.way {
            Way::Forward => {
                let activate = ActivateAppServer {
                    expected_active: Some(active.map(|active| active.id)),
                    force: self.forces(),
                    drain_limit_seconds: parse_drain_limit(&self.drain_limit.get_untracked()).ok().flatten(),
                    reason,
                    ..ActivateAppServer::default()
                };
                api::app_servers::activate(target.id, &activate).await
            }
            Way::Back => {
                let rollback = Rollback { app_server_id: Some(target.id), force: self.forces(), reason };
                api::instances::roll_back(target.instance_id, &rollback).await
            }
        }
    }
}

/// Shown when the active app server is no longer the one in the dialog.
const OVERTAKEN: &str = "Another app server was just activated. Close this dialog and review.";

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
    let (id, instance_id, active_id) = (target.id, target.instance_id, active.as_ref().map(|active| active.id));
    let data = state().data;
    let fetched = data.instance(instance_id);
    let before = Arc::clone(&instance);
    let now = Memo::new(move |_| fetched.with(|now| now.here().map_or_else(|| Arc::clone(&before), Arc::clone)));
    let is_overtaken =
        Memo::new(move |_| now.with(|now| now.summary.active_appserver.as_ref().map(|active| active.id)) != active_id);
    let this = Move::new(way, is_overtaken);
    let activations = data.activations(instance_id);
    let last = Memo::new(move |_| activations.with(|all| all.here()?.first().cloned()));
    let last_before = RwSignal::new(None);
    // The switch that this dialog requested, once it is decided.
    let switch =
        Memo::new(move |_| last.get().filter(|last| last.app_server_id == id && Some(last.id) != last_before.get()));
    let check = Callback::new(move |()| {
        this.checks.set(None);
        spawn_local(async move {
            this.checks.try_set(Some(api::app_servers::check(id).await));
        });
    });
    check.run(());
    let send = confirm(this, target.clone(), active.clone(), check, on_close);
    let confirm = Callback::new(move |()| {
        last_before.set(last.with_untracked(|last| last.as_ref().map(|last| last.id)));
        send.run(());
    });
    let title = way.title(&target.name);
    let failed = Memo::new(move |_| this.passed() == Some(false));
    let overtaken = move || (this.is_overtaken.get() && !this.is_busy.get()).then(|| OVERTAKEN.to_owned());
    let why_not = Memo::new(move |_| this.why_not.get().or_else(overtaken));
    let forces = Signal::derive(move || failed.get() && this.force.get());
    view! {
        <Dialog label=title.clone() is_busy=this.is_busy on_close>
            <header>
                <h1>{title}</h1>
                <p>{intro(way, &instance.summary.domain, active.as_ref())}</p>
            </header>
            <div class="body">
                {(way == Way::Forward).then(|| view! { <RolledBackBefore activations id name=target.name.clone()/> })}
                <FromTo active=active.clone() target=target.clone()/>
                {active.clone().map(|active| view! { <Difference active target=target.clone()/> })}
                <div aria-live="polite">
                    <CheckResult checks=this.checks again=check/>
                </div>
                <Show when=move || failed.get()>
                    <Force way force=this.force/>
                </Show>
                <ReasonField reason=this.reason is_needed=forces/>
                {active.clone().filter(|_| way == Way::Forward).map(|active| view! { <DrainLimit this name=active.name/> })}
                <Show when=move || this.is_busy.get()>
                    <SwitchSteps instance=now activation=switch/>
                </Show>
                <div role="alert" class="why" hidden=move || why_not.get().is_none()>{why_not}</div>
                <span class="fine">{aftermath(way, active.as_ref())}</span>
            </div>
            <Buttons this name=target.name confirm on_close/>
        </Dialog>
    }
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

#[component]
fn DrainLimit(this: Move, name: String) -> impl IntoView {
    let error = Memo::new(move |_| this.drain_error());
    view! {
        <label class="ask">
            {format!("Seconds that requests under way may take on {name}")}
            <input
                type="text"
                inputmode="numeric"
                maxlength="4"
                autocomplete="off"
                placeholder="As set for all"
                aria-invalid=move || error.get().is_some().then_some("true")
                bind:value=this.drain_limit
            />
            <span class="why" aria-live="polite">{error}</span>
        </label>
    }
}

#[component]
fn Buttons(this: Move, name: String, confirm: Callback<()>, on_close: Callback<()>) -> impl IntoView {
    let is_busy = this.is_busy;
    let why = Memo::new(move |_| this.possible().why_not());
    let click = move |_| {
        if why.get_untracked().is_none() && !is_busy.get_untracked() {
            confirm.run(());
        }
    };
    view! {
        <footer>
            <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
            <button
                class="primary"
                type="button"
                aria-disabled=move || (why.get().is_some() || is_busy.get()).to_string()
                aria-busy=move || is_busy.get().to_string()
                title=why
                aria-description=why
                on:click=click
            >
                {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                {this.way.confirm(&name)}
            </button>
        </footer>
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

fn aftermath(way: Way, active: Option<&AppServerSummary>) -> String {
    match (way, active) {
        (Way::Forward, Some(active)) => {
            format!("To undo: Roll back. {} keeps running as the fallback.", active.name)
        }
        (Way::Forward, None) => "This is the first activation; there is no fallback yet.".to_owned(),
        (Way::Back, _) => "Also puts automatic activation on hold until you release it. Builds continue.".to_owned(),
    }
}

/// Moves the traffic, and shows the result.
fn confirm(
    this: Move,
    target: AppServerSummary,
    active: Option<AppServerSummary>,
    check: Callback<()>,
    on_close: Callback<()>,
) -> Callback<()> {
    let state = state();
    Callback::new(move |()| {
        let (target, active) = (target.clone(), active.clone());
        this.is_busy.set(true);
        this.why_not.set(None);
        spawn_local(async move {
            let answer = this.send(&target, active.as_ref()).await;
            this.is_busy.try_set(false);
            match answer {
                Ok(result) => {
                    let about = About::Claim(target.instance_id, Claim::IsActive(result.app_server.id));
                    state.toasts.success_about(about, success_words(&result));
                    on_close.run(());
                }
                Err(error) if state.session.ends_by(&error) => on_close.run(()),
                Err(error) => {
                    this.why_not.try_set(Some(error.to_string()));
                    // The refusal may be due to new results of the checks.
                    check.run(());
                }
            }
            let instance = target.instance_id;
            for key in [Key::Instance(instance), Key::Activations(instance), Key::AppServer(target.id)] {
                state.data.refresh(key);
            }
        });
    })
}

fn success_words(result: &ActivationResult) -> String {
    if result.app_server.is_activating {
        return format!("{} becomes active when its hooks have ended. Its log shows them.", result.app_server.name);
    }
    let then = if result.is_applied {
        "Traffic now goes to it; a DNS change may take a while."
    } else {
        "The gateway is being updated."
    };
    format!("{} is now active. {then}", result.app_server.name)
}
