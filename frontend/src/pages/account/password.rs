//! Changing the signed-in user's password.

use leptos::prelude::*;
use shared_types::user::PasswordChange;

use crate::api;
use crate::components::{Refused, Sending, Sent, ShowPasswords, TextField, password_kind};
use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Alert, BusyButton};

#[component]
pub fn PasswordCard() -> impl IntoView {
    let state = state();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let refused = Refused::default();
    let sending = Sending::new(Some(refused));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let change = PasswordChange { current: current.get_untracked(), new: new.get_untracked() };
        sending.send(async move { api::account::change_password(&change).await }, move |sent| {
            if let Sent::Done(()) = sent {
                state.toasts.success("Your password is changed. Your other sessions have ended.");
                state.data.refresh(Key::Sessions);
                current.try_set(String::new());
                new.try_set(String::new());
            }
        });
    };
    let are_shown = RwSignal::new(false);
    view! {
        <form class="card" on:submit=submit aria-label="Password" novalidate>
            <header>
                <h2>"Password"</h2>
            </header>
            <Passwords current new are_shown refused/>
            <div class="form-end">
                <div class="grow">
                    <ShowPasswords are_shown/>
                    <p class="fine">
                        "Changing it signs you out of other browsers. API tokens keep working. If you use single sign-on, you have no password here."
                    </p>
                    // Set, for example, if the user signs in at an external provider and has no password.
                    <Alert why=sending.why_not/>
                </div>
                <BusyButton label="Change password" is_busy=sending.is_busy/>
            </div>
        </form>
    }
}

/// The fields for the current and the new password.
#[component]
fn Passwords(
    current: RwSignal<String>,
    new: RwSignal<String>,
    are_shown: RwSignal<bool>,
    refused: Refused,
) -> impl IntoView {
    let session = state().session;
    let kind = password_kind(are_shown);
    let name = move || session.user().map(|user| user.username);
    view! {
        // Tells the browser the user name to store the new password under.
        <input type="text" autocomplete="username" hidden readonly prop:value=name/>
        <TextField name="current" label="Current password" kind autocomplete="current-password" max=1024 typed=current refused/>
        <TextField
            name="new"
            label="New password"
            help="At least 10 characters, and hard to guess, for example four random words."
            kind
            autocomplete="new-password"
            max=1024
            typed=new
            refused
        />
    }
}
