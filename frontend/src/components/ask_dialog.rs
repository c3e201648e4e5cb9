//! The confirmation dialog of an action: shows what will happen, and asks for a reason.

use futures::future::LocalBoxFuture;
use leptos::prelude::*;

use super::sending::{Sending, Sent};
use crate::api;
use crate::state::{About, state};
use crate::ui::{Alert, BusyButton, Dialog};
use crate::words;

/// Runs the action with the given reason; returns the success message.
pub type Act = Callback<Option<String>, LocalBoxFuture<'static, api::Result<String>>>;

/// The dialog. It stays open and shows the error if the server refuses.
#[component]
pub fn AskDialog(
    /// The title, as a question.
    #[prop(into)]
    title: String,
    /// Describes what the action does.
    #[prop(into)]
    words: String,
    /// The text on the confirm button.
    #[prop(into)]
    confirm: String,
    /// Whether the action is destructive.
    #[prop(optional)]
    is_grave: bool,
    /// Whether to show a field for the reason.
    #[prop(default = true)]
    has_reason: bool,
    /// What the success notice is about.
    #[prop(default = About::Other)]
    about: About,
    /// Why it cannot be confirmed yet; none if it can.
    #[prop(optional, into)]
    why_not: Signal<Option<&'static str>>,
    act: Act,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
    /// Additional content above the reason.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let toasts = state().toasts;
    let (sending, reason) = (Sending::new(None), RwSignal::new(String::new()));
    let is_busy = sending.is_busy;
    let on_click = move |()| {
        if is_busy.get_untracked() {
            return;
        }
        let answer = act.run(words::reason(&reason.get_untracked()));
        sending.send(answer, move |sent| {
            if let Sent::Done(told) = sent {
                toasts.success_about(about, told);
            }
            on_close.run(());
        });
    };
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <header>
                <h1>{title}</h1>
                <p>{words}</p>
            </header>
            <div class="body">
                {children.map(|children| children())}
                {has_reason.then(|| view! { <ReasonField reason/> })}
                <Alert why=sending.why_not/>
            </div>
            <footer>
                <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                <BusyButton label=confirm is_busy why_not class=if is_grave { "danger" } else { "primary" } on_click/>
            </footer>
        </Dialog>
    }
}

/// The field for the reason.
#[component]
pub fn ReasonField(
    reason: RwSignal<String>,
    /// Whether a reason is required.
    #[prop(optional, into)]
    is_needed: Signal<bool>,
) -> impl IntoView {
    let hint =
        move || if is_needed.get() { "Required; recorded in Activity" } else { "Optional; recorded in Activity" };
    view! {
        <label class="ask">
            "Reason"
            <input type="text" maxlength="500" autocomplete="off" placeholder=hint aria-required=move || is_needed.get().to_string() bind:value=reason/>
        </label>
    }
}
