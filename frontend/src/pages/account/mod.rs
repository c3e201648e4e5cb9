//! The account page: password, API tokens, sessions.

mod browser;
mod new_token;
mod password;
mod sessions;
mod tokens;

use leptos::prelude::*;

use super::when_here;
use crate::state::state;
use crate::ui::Title;
use password::PasswordCard;
use sessions::SessionsCard;
use tokens::TokensCard;

#[component]
pub fn AccountPage() -> impl IntoView {
    let state = state();
    let (tokens, sessions) = (state.data.tokens(), state.data.sessions());
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
                {when_here(tokens, |tokens| view! { <TokensCard tokens/> }.into_any())}
                {when_here(sessions, |sessions| view! { <SessionsCard sessions/> }.into_any())}
            </div>
        </div>
    }
}
