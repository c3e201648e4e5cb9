//! A dialog with fields. If the server refuses, it stays open and shows each error at its field.

use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use shared_types::app_server::Possible;

use super::sending::{Sending, Sent};
use super::text_field::Refused;
use crate::api;
use crate::state::state;
use crate::ui::{Alert, BusyButton, Dialog};

/// Submits the fields; returns the success message.
pub type Fill = Callback<(), LocalBoxFuture<'static, api::Result<String>>>;

#[component]
pub fn FormDialog(
    /// The dialog's title.
    #[prop(into)]
    title: String,
    /// Describes what the action does.
    #[prop(into)]
    words: Signal<String>,
    /// The text on the confirm button.
    #[prop(into)]
    confirm: String,
    /// Whether the current input can be submitted.
    #[prop(into)]
    possible: Signal<Possible>,
    /// The errors per field from the server.
    refused: Refused,
    act: Fill,
    /// Called when the dialog is to be closed.
    on_close: Callback<()>,
    /// The fields of the form.
    children: Children,
) -> impl IntoView {
    let toasts = state().toasts;
    let sending = Sending::new(Some(refused));
    let is_busy = sending.is_busy;
    let why_not = Memo::new(move |_| possible.get().why_not());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() || why_not.get_untracked().is_some() {
            return;
        }
        sending.send(act.run(()), move |sent| {
            if let Sent::Done(told) = sent {
                toasts.success(told);
            }
            on_close.run(());
        });
    };
    view! {
        <Dialog label=title.clone() is_busy on_close>
            <form class="in-dialog" on:submit=submit novalidate>
                <header>
                    <h1>{title}</h1>
                    <p>{words}</p>
                </header>
                <div class="body">
                    {children()}
                    <Alert why=sending.why_not/>
                </div>
                <footer>
                    <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
                    <BusyButton label=confirm is_busy why_not/>
                </footer>
            </form>
        </Dialog>
    }
}
