//! What a user signs in with, and taking it away.

use leptos::prelude::*;
use shared_types::ProblemType;
use shared_types::user::Account;

use super::super::credentials::{Holder, SessionsCard, TokensCard};
use super::super::when_here;
use crate::state::data::Key;
use crate::state::{Fetched, state};
use crate::ui::Dialog;

/// The dialog. It closes by itself if the user is deleted meanwhile.
#[component]
pub fn AccessDialog(user: Account, on_close: Callback<()>) -> impl IntoView {
    let state = state();
    let me = state.session.user().map(|own| own.id);
    let holder = StoredValue::new(Holder::of(&user, me));
    let (sessions, tokens) = (state.data.user_sessions(user.id), state.data.user_tokens(user.id));
    Effect::new(move || {
        if sessions.with(is_gone) || tokens.with(is_gone) {
            state.data.refresh(Key::Users);
            on_close.run(());
        }
    });
    let name = user.username;
    view! {
        <Dialog label=format!("Access of {name}") class="wide" on_close>
            <header>
                <h1>"Access of " <bdi>{name}</bdi></h1>
                <p>"The user's sessions and API tokens. Ending one takes effect immediately; the account stays."</p>
            </header>
            <div class="body">
                {when_here(sessions, move |sessions| view! { <SessionsCard sessions holder=holder.get_value()/> }.into_any())}
                {when_here(tokens, move |tokens| view! { <TokensCard tokens holder=holder.get_value()/> }.into_any())}
            </div>
            <footer>
                <button type="button" autofocus on:click=move |_| on_close.run(())>"Close"</button>
            </footer>
        </Dialog>
    }
}

/// Whether the user no longer exists.
fn is_gone<T>(fetched: &Fetched<T>) -> bool {
    matches!(fetched, Fetched::Failed(error) if error.is(ProblemType::NotFound))
}
