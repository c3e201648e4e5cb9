//! What a person reads and decides in the dialog: the checks, whether to skip them, the reason, the drain limit.

use leptos::prelude::*;
use shared_types::{AppServerId, AppServerSummary};

use super::Way;
use super::checks::{CheckResult, Force};
use super::moving::Move;
use crate::components::ask_dialog::ReasonField;
use crate::ui::BusyButton;

#[component]
pub fn Inputs(
    this: Move,
    /// The app server that is checked.
    id: AppServerId,
    /// The app server that is replaced.
    active: Option<AppServerSummary>,
) -> impl IntoView {
    let again = Callback::new(move |()| this.check(id));
    let failed = Memo::new(move |_| this.passed() == Some(false));
    let forces = Signal::derive(move || failed.get() && this.force.get());
    let drained = active.filter(|_| this.way == Way::Forward);
    view! {
        <div aria-live="polite">
            <CheckResult checks=this.checks again/>
        </div>
        <Show when=move || failed.get()>
            <Force way=this.way force=this.force/>
        </Show>
        <ReasonField reason=this.reason is_needed=forces/>
        {drained.map(|active| view! { <DrainLimit this name=active.name/> })}
    }
}

#[component]
fn DrainLimit(this: Move, name: String) -> impl IntoView {
    let error = Memo::new(move |_| this.drain_error());
    view! {
        <label class="ask">
            {format!("Drain limit (seconds): how long open requests on {name} may take")}
            <input
                type="text"
                inputmode="numeric"
                maxlength="4"
                autocomplete="off"
                placeholder="Default"
                aria-invalid=move || error.get().is_some().then_some("true")
                bind:value=this.drain_limit
            />
            <span class="why" aria-live="polite">{error}</span>
        </label>
    }
}

#[component]
pub fn Buttons(
    this: Move,
    /// The app server that the traffic moves to.
    name: String,
    /// Moves the traffic.
    confirm: Callback<()>,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
) -> impl IntoView {
    let why_not = Memo::new(move |_| this.possible().why_not());
    let button = move || {
        let (label, class) = match this.undo.is_chosen.get() {
            true => ("Roll back and restore".to_owned(), "danger"),
            false => (this.way.confirm(&name), "primary"),
        };
        view! { <BusyButton label is_busy=this.is_busy why_not class on_click=confirm/> }
    };
    view! {
        <footer>
            <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
            {button}
        </footer>
    }
}
