//! The credentials of private repositories. For administrators; others do not see the card.

mod new_credential;

use std::sync::Arc;

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::source_credential::{CredentialKind, SourceCredential};
use shared_types::{Role, SourceCredentialId};

use super::super::when_here;
use crate::api;
use crate::components::{Act, AskDialog};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;
use new_credential::NewCredentialDialog;

#[component]
pub(super) fn RepositoriesCard() -> impl IntoView {
    let session = state().session;
    let is_admin = Memo::new(move |_| session.may(Role::Admin).why_not().is_none());
    move || is_admin.get().then(|| view! { <Card/> })
}

#[component]
fn Card() -> impl IntoView {
    let credentials = state().data.source_credentials();
    let is_adding = RwSignal::new(false);
    view! {
        <section class="card" id="repositories" aria-label="Private repositories">
            <header>
                <h2>"Private repositories"</h2>
                <span class="fine">
                    {move || credentials.with(|all| all.here().map(|all| all.len()))}
                </span>
                <span class="right">
                    <button type="button" on:click=move |_| is_adding.set(true)>
                        <Icon shape=Shape::Plus/>
                        "Add credential…"
                    </button>
                </span>
            </header>
            {when_here(credentials, |credentials| view! { <List credentials/> }.into_any())}
        </section>
        <Show when=move || is_adding.get()>
            <NewCredentialDialog on_close=Callback::new(move |()| is_adding.set(false))/>
        </Show>
    }
}

#[component]
fn List(credentials: Memo<Arc<Vec<SourceCredential>>>) -> impl IntoView {
    let asked = RwSignal::new(None::<SourceCredential>);
    let ids = Memo::new(move |_| credentials.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let row = move |id: SourceCredentialId| {
        // Nothing of a credential changes while it exists.
        let one = credentials.with_untracked(|all| all.iter().find(|one| one.id == id).cloned())?;
        Some(view! { <Row one asked/> })
    };
    view! {
        <Show when=move || ids.with(Vec::is_empty)>
            <p class="body fine">
                "No credentials. Configuration that is not public needs one: a deploy key or a token for each server or owner."
            </p>
        </Show>
        <ul class="lines">
            <For each=move || ids.get() key=|id| *id let:id>{row(id)}</For>
        </ul>
        {move || asked.get().map(|one| view! {
            <DeleteDialog one on_close=Callback::new(move |()| asked.set(None))/>
        })}
    }
}

#[component]
fn Row(one: SourceCredential, asked: RwSignal<Option<SourceCredential>>) -> impl IntoView {
    let now = clock::now();
    let SourceCredential { source, kind, username, created_by, created, .. } = one.clone();
    let ask = move |_| asked.set(Some(one.clone()));
    view! {
        <li>
            <div class="grow">
                <div class="did">
                    <code dir="ltr">{source.clone()}</code>
                    <span class="label">{kind_words(kind)}</span>
                </div>
                <div class="fine">
                    {username.map(|name| format!("Login name {name}, "))}
                    "added by " {created_by} ", " {move || words::ago(created, now.get())}
                </div>
            </div>
            <button type="button" aria-label=format!("Delete the credential of {source}…") on:click=ask>
                <Icon shape=Shape::Trash/>
                "Delete…"
            </button>
        </li>
    }
}

const fn kind_words(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::DeployKey => "Deploy key",
        CredentialKind::Token => "Token",
    }
}

#[component]
fn DeleteDialog(one: SourceCredential, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let SourceCredential { id, source, .. } = one;
    let title = format!("Delete the credential of {source}?");
    let act: Act = Callback::new(move |_| {
        let told = format!("Credential of {source} deleted.");
        async move {
            let answer = api::source_credentials::remove(id).await;
            data.refresh(Key::SourceCredentials);
            answer.map(|()| told)
        }
        .boxed_local()
    });
    let words = "New launches cannot read these repositories any more. App servers that run are not affected. \
                 Revoke the key or token on the git server too.";
    view! { <AskDialog title words confirm="Delete" is_grave=true has_reason=false act on_close/> }
}
