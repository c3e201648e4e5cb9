//! Changing the signed-in user's password.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::user::PasswordChange;

use crate::api;
use crate::components::{Refused, ShowPasswords, TextField, password_kind};
use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Icon, Shape};

#[component]
pub fn PasswordCard() -> impl IntoView {
    let state = state();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (is_busy, are_shown) = (RwSignal::new(false), RwSignal::new(false));
    let why_not = RwSignal::new(None::<String>);
    let refused = Refused::default();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        why_not.set(None);
        spawn_local(async move {
            let change = PasswordChange { current: current.get_untracked(), new: new.get_untracked() };
            match api::account::change_password(&change).await {
                Ok(()) => {
                    state.toasts.success("Your password is changed. Your other sessions have ended.");
                    state.data.refresh(Key::Sessions);
                    current.try_set(String::new());
                    new.try_set(String::new());
                }
                Err(error) if state.session.ends_by(&error) || refused.take(&error) => {}
                // For example the user has no password, because they sign in at an external provider.
                Err(error) => {
                    why_not.try_set(Some(error.to_string()));
                }
            }
            is_busy.try_set(false);
        });
    };
    let kind = password_kind(are_shown);
    let name = move || state.session.user().map(|user| user.username);
    view! {
        <form class="card" on:submit=submit aria-label="Password" novalidate>
            <header>
                <h2>"Password"</h2>
            </header>
            // Tells the browser the user name to store the new password under.
            <input type="text" autocomplete="username" hidden readonly prop:value=name/>
            <TextField name="current" label="Current password" kind autocomplete="current-password" max=1024 typed=current refused/>
            <TextField
                name="new"
                label="New password"
                help="At least 10 characters, and hard to guess: a few unrelated words are enough."
                kind
                autocomplete="new-password"
                max=1024
                typed=new
                refused
            />
            <div class="form-end">
                <div class="grow">
                    <ShowPasswords are_shown/>
                    <p class="fine">
                        "It ends your sessions in all other browsers at once. API tokens go on working. Users who sign in elsewhere have no password here."
                    </p>
                    <div role="alert" class="why" hidden=move || why_not.get().is_none()>{why_not}</div>
                </div>
                <button class="primary" type="submit" aria-busy=move || is_busy.get().to_string() aria-disabled=move || is_busy.get().to_string()>
                    {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                    "Change password"
                </button>
            </div>
        </form>
    }
}
