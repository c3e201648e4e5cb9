//! The actions for the selected app server; each unavailable one shows the reason.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::can_activate;
use shared_types::{AppServer, AppServerStatus, AppServerSummary, Instance};
use std::sync::Arc;

use super::lanes::ActivateButton;
use super::possible::PossibleButton;
use super::preview_links::PreviewLinkButton;
use super::rolled_back::is_rolled_back_from;
use super::verb::{Ask, Verb};
use crate::api;
use crate::state::data::Key;
use crate::state::{About, state};
use crate::ui::Shape;

#[component]
pub fn Actions(
    instance: Memo<Arc<Instance>>,
    app_server: Memo<Arc<AppServer>>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let summary = Memo::new(move |_| app_server.with(|whole| whole.summary.clone()));
    let is_building = Memo::new(move |_| summary.with(|one| one.status.is_building()));
    let runs = Memo::new(move |_| summary.with(|one| one.status == AppServerStatus::Running));
    let can_activate = Memo::new(move |_| summary.with(|one| can_activate(one.status, one.serving)));
    let can_terminate = Memo::new(move |_| summary.with(AppServerSummary::can_be_terminated));
    let has_machine = Memo::new(move |_| summary.with(|one| one.has_machine && !one.status.is_building()));
    let activations = state().data.activations(summary.with_untracked(|one| one.instance_id));
    let active =
        Memo::new(move |_| instance.with(|instance| instance.summary.active_appserver.as_ref().map(|one| one.id)));
    let is_again = Memo::new(move |_| {
        let history = activations.get();
        let history = history.here().map(|history| history.as_slice());
        summary.with(|one| is_rolled_back_from(one, active.get(), history))
    });
    let can_pin = Memo::new(move |_| summary.with(AppServerSummary::can_be_pinned));
    let asks =
        move |verb: fn(AppServerSummary) -> Verb| Callback::new(move |()| ask.run(verb(summary.get_untracked())));
    view! {
        <div class="actions-row">
            {move || view! { <ActivateButton possible=can_activate is_again=is_again.get() on_click=asks(Verb::Activate)/> }}
            <ActivateLaterButton summary ask/>
            <Show when=move || runs.get()>
                <CheckButton app_server/>
            </Show>
            <Show when=move || is_building.get()>
                <StopButton summary ask/>
            </Show>
            <Show when=move || has_machine.get()>
                <PossibleButton possible=can_terminate shape=Shape::Trash label="Terminate" on_click=asks(Verb::Terminate)/>
            </Show>
            <Show when=move || can_pin.get()>
                <PinButton summary/>
            </Show>
            <PreviewLinkButton summary/>
        </div>
        <Stopping summary/>
    }
}

/// The button “Activate when ready”, while activation can be requested in advance.
#[component]
pub fn ActivateLaterButton(
    summary: Memo<AppServerSummary>,
    /// Opens the dialog.
    ask: Ask,
) -> impl IntoView {
    let is_possible = Memo::new(move |_| summary.with(AppServerSummary::can_be_activated_later));
    view! {
        <Show when=move || is_possible.get()>
            <PossibleButton
                shape=Shape::Clock
                label="Activate when ready"
                on_click=Callback::new(move |()| ask.run(Verb::ActivateLater(summary.get_untracked())))
            />
        </Show>
    }
}

/// The button “Stop build”.
#[component]
pub fn StopButton(
    summary: Memo<AppServerSummary>,
    /// Opens the dialog.
    ask: Ask,
) -> impl IntoView {
    let possible = Memo::new(move |_| summary.with(AppServerSummary::can_be_stopped));
    let on_click = Callback::new(move |()| ask.run(Verb::Stop(summary.get_untracked())));
    view! { <PossibleButton possible shape=Shape::Stop label="Stop build" on_click/> }
}

/// Shows that the build is being stopped, and who asked for it; or that it will be activated automatically.
#[component]
pub fn Stopping(
    /// The app server whose build is shown.
    summary: Memo<AppServerSummary>,
) -> impl IntoView {
    let words = Memo::new(move |_| {
        summary.with(|one| {
            if !one.status.is_building() {
                return None;
            }
            match (&one.stop_requested_by, one.activate_when_running) {
                (Some(who), _) => Some(format!("Stopping… (requested by {who})")),
                (None, true) => Some("It will be activated automatically when the build succeeds.".to_owned()),
                (None, false) => None,
            }
        })
    });
    view! { <p class="fine" role="status" hidden=move || words.get().is_none()>{words}</p> }
}

#[component]
fn PinButton(summary: Memo<AppServerSummary>) -> impl IntoView {
    let state = state();
    let is_busy = RwSignal::new(false);
    let is_pinned = Memo::new(move |_| summary.with(|one| one.is_pinned));
    let toggle = Callback::new(move |()| {
        is_busy.set(true);
        let (one, unpins) = (summary.get_untracked(), is_pinned.get_untracked());
        let about = About::Instance(one.instance_id);
        spawn_local(async move {
            let (id, name) = (one.id, one.name);
            let answer = if unpins { api::app_servers::unpin(id).await } else { api::app_servers::pin(id, None).await };
            match answer {
                Ok(_) if unpins => state.toasts.success_about(about, format!("{name} unpinned.")),
                Ok(_) => {
                    let words = format!("{name} is pinned: it keeps its machine until it is unpinned.");
                    state.toasts.success_about(about, words);
                }
                Err(error) => state.failed_about(about, "Pinning failed", &error),
            }
            is_busy.try_set(false);
            for key in [Key::AppServer(id), Key::Instance(one.instance_id), Key::Expiring] {
                state.data.refresh(key);
            }
        });
    });
    view! {
        <PossibleButton
            shape=Shape::Pin
            label="Pin machine"
            hint="A pinned machine stays until it is unpinned or terminated"
            is_busy
            is_pressed=is_pinned
            on_click=toggle
        />
    }
}

#[component]
fn CheckButton(app_server: Memo<Arc<AppServer>>) -> impl IntoView {
    let state = state();
    let is_busy = RwSignal::new(false);
    let check = Callback::new(move |()| {
        is_busy.set(true);
        let summary = app_server.with_untracked(|one| one.summary.clone());
        let (id, name, about) = (summary.id, summary.name, About::Instance(summary.instance_id));
        spawn_local(async move {
            match api::app_servers::check(id).await {
                Ok(checks) if checks.passed() => {
                    state.toasts.success_about(about, format!("{name} passed its health checks."));
                }
                Ok(_) => state.toasts.error_about(about, format!("{name} failed its health checks. See Checks.")),
                Err(error) => state.failed_about(about, "Checking failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::AppServer(id));
        });
    });
    view! { <PossibleButton shape=Shape::Refresh label="Check now" is_busy on_click=check/> }
}
