//! The account page: password, SSH keys, API tokens, sessions.

mod password;

use leptos::prelude::*;

use super::credentials::{Holder, SessionsCard, SshKeysCard, TokensCard};
use super::when_here;
use crate::state::state;
use crate::ui::Title;
use password::PasswordCard;

#[component]
pub fn AccountPage() -> impl IntoView {
    let state = state();
    let (tokens, sessions, keys) = (state.data.tokens(), state.data.sessions(), state.data.ssh_keys());
    let who = move || state.session.user().map(|user| (user.username, user.role.as_str()));
    view! {
        <Title text="Account"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Account"</h1>
                    <div class="links">
                        {move || who().map(|(name, role)| view! {
                            <span>"Signed in as " <bdi>{name}</bdi> " (" {role} ")"</span>
                        })}
                    </div>
                </div>
            </div>
            <div class="below-head stack">
                <PasswordCard/>
                {when_here(keys, |keys| view! { <SshKeysCard keys/> }.into_any())}
                {when_here(tokens, |tokens| view! { <TokensCard tokens holder=Holder::Me/> }.into_any())}
                {when_here(sessions, |sessions| view! { <SessionsCard sessions holder=Holder::Me/> }.into_any())}
            </div>
        </div>
    }
}
