//! The API tokens of a user.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::user::{CreatedToken, Scope, Token};
use shared_types::{Role, TokenId, UserId};
use std::sync::Arc;

use super::Holder;
use super::new_token::{NewTokenDialog, SecretDialog};
use crate::api;
use crate::components::{Act, AskDialog, PossibleButton};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The tokens to revoke after confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Revoke {
    One(TokenId, String),
    /// All of a user, by the user's id and name.
    AllOf(UserId, String),
}

#[component]
pub fn TokensCard(tokens: Memo<Arc<Vec<Token>>>, holder: Holder) -> impl IntoView {
    let asked = RwSignal::new(None::<Revoke>);
    let ids = Memo::new(move |_| tokens.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let (action, nothing) = match &holder {
        Holder::Me => {
            (view! { <NewToken/> }.into_any(), "No tokens. Use one for scripts; it can do only what its scopes allow.")
        }
        Holder::User { id, name, .. } => {
            let all = Revoke::AllOf(*id, name.clone());
            let possible =
                Signal::derive(move || if is_empty.get() { Possible::No("There are none.") } else { Possible::Yes });
            let on_click = Callback::new(move |()| asked.set(Some(all.clone())));
            let button = view! {
                <PossibleButton possible role=Role::Admin shape=Shape::Trash label="Revoke all tokens…" on_click/>
            };
            (button.into_any(), "No tokens.")
        }
    };
    view! {
        <section class="card" aria-label="API tokens">
            <header>
                <h2>"API tokens"</h2>
                <span class="fine">{move || ids.with(Vec::len)}</span>
                <span class="right">{action}</span>
            </header>
            <Show when=move || is_empty.get()>
                <p class="body fine">{nothing}</p>
            </Show>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {token_of(tokens, id).map(|token| view! { <TokenRow token asked/> })}
                </For>
            </ul>
        </section>
        {move || asked.get().map(|what| view! {
            <RevokeDialog what holder=holder.clone() on_close=Callback::new(move |()| asked.set(None))/>
        })}
    }
}

/// The button that creates a token, and its dialogs.
#[component]
fn NewToken() -> impl IntoView {
    let is_making = RwSignal::new(false);
    let made = RwSignal::new(None::<CreatedToken>);
    view! {
        <button type="button" on:click=move |_| is_making.set(true)>
            <Icon shape=Shape::Plus/>
            "New token…"
        </button>
        <Show when=move || is_making.get()>
            <NewTokenDialog made on_close=Callback::new(move |()| is_making.set(false))/>
        </Show>
        {move || made.get().map(|made_now| view! {
            <SecretDialog made=made_now on_close=Callback::new(move |()| made.set(None))/>
        })}
    }
}

/// One token, as last known: it may be revoked before its view is removed.
fn token_of(tokens: Memo<Arc<Vec<Token>>>, id: TokenId) -> Option<Memo<Token>> {
    let find = move |all: &Arc<Vec<Token>>| all.iter().find(|one| one.id == id).cloned();
    let first = tokens.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&Token>| tokens.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

#[component]
fn TokenRow(token: Memo<Token>, asked: RwSignal<Option<Revoke>>) -> impl IntoView {
    let now = clock::now();
    let Token { id, name, role, scopes, created, expires, .. } = token.get_untracked();
    let is_over = Memo::new(move |_| expires <= now.get());
    let ends = move || match expires - now.get() {
        left if left.num_seconds() <= 0 => format!("expired {}", words::ago(expires, now.get())),
        left => format!("expires in {}", words::span(left)),
    };
    let used = move || match token.with(|token| token.last_used) {
        Some(used) => format!("last used {}", words::ago(used, now.get())),
        None => "never used".to_owned(),
    };
    let revoke = {
        let name = name.clone();
        move |_| asked.set(Some(Revoke::One(id, name.clone())))
    };
    view! {
        <li>
            <div class="grow">
                <div class="did">
                    <b dir="auto">{name.clone()}</b>
                    <span class="label">{role.as_str()}</span>
                    <span class="fine">{scope_words(&scopes)}</span>
                    <Show when=move || is_over.get()>
                        <span class="label bad"><Icon shape=Shape::Cross/>"Expired"</span>
                    </Show>
                </div>
                <div class="fine">
                    "Created " {move || words::ago(created, now.get())} ", " {ends} ", " {used}
                </div>
            </div>
            <button type="button" aria-label=format!("Revoke {name}…") on:click=revoke>
                <Icon shape=Shape::Trash/>
                "Revoke…"
            </button>
        </li>
    }
}

fn scope_words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", ")
}

#[component]
fn RevokeDialog(what: Revoke, holder: Holder, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (title, told) = match (&what, &holder) {
        (Revoke::One(_, token), Holder::Me) => (format!("Revoke {token}?"), format!("{token} revoked.")),
        (Revoke::One(_, token), Holder::User { name, .. }) => {
            (format!("Revoke {token} of {name}?"), format!("{token} of {name} revoked."))
        }
        (Revoke::AllOf(_, name), _) => {
            (format!("Revoke all tokens of {name}?"), format!("All tokens of {name} revoked."))
        }
    };
    let words = match what {
        Revoke::One(..) => {
            "It stops working immediately, and its live streams end. This cannot be undone; create a new token instead."
        }
        Revoke::AllOf(..) => {
            "They stop working immediately, and their live streams end. This cannot be undone. Sessions stay."
        }
    };
    let act: Act = Callback::new(move |_| {
        let (what, holder, told) = (what.clone(), holder.clone(), told.clone());
        async move {
            let (answer, key) = match (what, holder) {
                (Revoke::One(id, _), Holder::Me) => (api::account::delete_token(id).await, Key::Tokens),
                (Revoke::One(id, _), Holder::User { id: user, .. }) => {
                    (api::users::delete_token(user, id).await, Key::UserTokens(user))
                }
                (Revoke::AllOf(user, _), _) => (api::users::delete_tokens(user).await, Key::UserTokens(user)),
            };
            data.refresh(key);
            answer.map(|()| told)
        }
        .boxed_local()
    });
    view! { <AskDialog title words confirm="Revoke" is_grave=true has_reason=false act on_close/> }
}
