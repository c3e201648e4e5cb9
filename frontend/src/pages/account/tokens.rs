//! The signed-in user's API tokens.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::TokenId;
use shared_types::user::{CreatedToken, Scope, Token};
use std::sync::Arc;

use super::new_token::{NewTokenDialog, SecretDialog};
use crate::api;
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

#[component]
pub fn TokensCard(tokens: Memo<Arc<Vec<Token>>>) -> impl IntoView {
    let is_making = RwSignal::new(false);
    let made = RwSignal::new(None::<CreatedToken>);
    let asked = RwSignal::new(None::<(TokenId, String)>);
    let ids = Memo::new(move |_| tokens.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    view! {
        <section class="card" aria-label="API tokens">
            <header>
                <h2>"API tokens"</h2>
                <span class="fine">{move || ids.with(Vec::len)}</span>
                <span class="right">
                    <button type="button" on:click=move |_| is_making.set(true)>
                        <Icon shape=Shape::Plus/>
                        "New token…"
                    </button>
                </span>
            </header>
            <Show when=move || is_empty.get()>
                <p class="body fine">
                    "No tokens. Use one for scripts; it can do only what its scopes allow."
                </p>
            </Show>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {token_of(tokens, id).map(|token| view! { <TokenRow token asked/> })}
                </For>
            </ul>
        </section>
        <Show when=move || is_making.get()>
            <NewTokenDialog made on_close=Callback::new(move |()| is_making.set(false))/>
        </Show>
        {move || made.get().map(|made_now| view! {
            <SecretDialog made=made_now on_close=Callback::new(move |()| made.set(None))/>
        })}
        {move || asked.get().map(|(id, name)| view! {
            <RevokeDialog id name on_close=Callback::new(move |()| asked.set(None))/>
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
fn TokenRow(token: Memo<Token>, asked: RwSignal<Option<(TokenId, String)>>) -> impl IntoView {
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
        move |_| asked.set(Some((id, name.clone())))
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
fn RevokeDialog(id: TokenId, name: String, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let title = format!("Revoke {name}?");
    let act: Act = Callback::new(move |_| {
        let name = name.clone();
        async move {
            let answer = api::account::delete_token(id).await;
            data.refresh(Key::Tokens);
            answer.map(|()| format!("{name} revoked."))
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title
            words="It stops working immediately, and its live streams end. This cannot be undone; create a new token instead."
            confirm="Revoke"
            is_grave=true
            has_reason=false
            act
            on_close
        />
    }
}
