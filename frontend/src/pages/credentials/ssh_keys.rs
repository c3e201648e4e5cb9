//! The public SSH keys of the signed-in user.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::SshKeyId;
use shared_types::app_server::Possible;
use shared_types::ssh_access::{LOGIN_ROLE, MAX_SSH_KEYS, NewSshKey, SshKey};
use std::sync::Arc;

use crate::api;
use crate::components::{Act, AskDialog, CopyButton, Fill, FormDialog, PossibleButton, Refused, TextArea, TextField};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::Shape;
use crate::words;

/// A key to delete after confirmation.
type Doomed = RwSignal<Option<(SshKeyId, String)>>;

#[component]
pub fn SshKeysCard(keys: Memo<Arc<Vec<SshKey>>>) -> impl IntoView {
    let doomed: Doomed = RwSignal::new(None);
    let is_adding = RwSignal::new(false);
    let ids = Memo::new(move |_| keys.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let possible = Signal::derive(move || {
        let is_full = ids.with(|ids| ids.len() >= MAX_SSH_KEYS);
        if is_full { Possible::No("You have as many keys as a user may have.") } else { Possible::Yes }
    });
    let session = state().session;
    let may_log_in = Memo::new(move |_| session.may(LOGIN_ROLE) == Possible::Yes);
    let words = move || match may_log_in.get() {
        true => {
            "With these keys you log in to all machines. A new key works, and a deleted one stops working, within a minute."
        }
        false => "Your role may not log in to machines. The keys are kept in case it changes.",
    };
    view! {
        <section class="card" aria-label="SSH keys">
            <header>
                <h2>"SSH keys"</h2>
                <span class="fine">{move || ids.with(Vec::len)}</span>
                <span class="right">
                    <PossibleButton
                        possible
                        shape=Shape::Plus
                        label="Add key…"
                        on_click=Callback::new(move |()| is_adding.set(true))
                    />
                </span>
            </header>
            <p class="body fine">{words}</p>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {key_of(keys, id).map(|key| view! { <KeyRow key doomed/> })}
                </For>
            </ul>
        </section>
        <Show when=move || is_adding.get()>
            <NewKeyDialog on_close=Callback::new(move |()| is_adding.set(false))/>
        </Show>
        {move || doomed.get().map(|(id, name)| view! {
            <DeleteDialog id name on_close=Callback::new(move |()| doomed.set(None))/>
        })}
    }
}

/// A key never changes; it may be deleted before its view is removed.
fn key_of(keys: Memo<Arc<Vec<SshKey>>>, id: SshKeyId) -> Option<SshKey> {
    keys.with_untracked(|all| all.iter().find(|one| one.id == id).cloned())
}

#[component]
fn KeyRow(key: SshKey, doomed: Doomed) -> impl IntoView {
    let now = clock::now();
    let SshKey { id, name, algorithm, fingerprint, created, .. } = key;
    let delete = {
        let name = name.clone();
        move |()| doomed.set(Some((id, name.clone())))
    };
    view! {
        <li>
            <div class="grow">
                <div class="did">
                    <b dir="auto">{name.clone()}</b>
                    <span class="label">{algorithm}</span>
                </div>
                <div class="fine">
                    <span class="mono">{fingerprint.clone()}</span>
                    <CopyButton text=fingerprint label="Copy the fingerprint" is_small=true/>
                    " added " {move || words::ago(created, now.get())}
                </div>
            </div>
            <button type="button" aria-label=format!("Delete {name}…") on:click=move |_| delete(())>
                "Delete…"
            </button>
        </li>
    }
}

#[component]
fn NewKeyDialog(on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let refused = Refused::default();
    let (name, public_key) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let act: Fill = Callback::new(move |()| {
        let given = Some(name.get_untracked().trim().to_owned()).filter(|name| !name.is_empty());
        let new = NewSshKey { name: given, public_key: public_key.get_untracked() };
        async move {
            let added = api::account::add_ssh_key(&new).await?;
            data.refresh(Key::SshKeys);
            Ok(format!("{} added.", added.name))
        }
        .boxed_local()
    });
    let possible = Signal::derive(move || {
        if public_key.with(|key| key.trim().is_empty()) { Possible::No("Paste a public key.") } else { Possible::Yes }
    });
    view! {
        <FormDialog
            title="New SSH key"
            words="A public key of yours. The private key stays with you."
            confirm="Add key"
            possible
            refused
            act
            on_close
        >
            <TextArea
                name="public_key"
                label="Public key"
                help="The line in a file such as ~/.ssh/id_ed25519.pub. Make a pair with: ssh-keygen -t ed25519"
                max=8_000
                typed=public_key
                refused
            />
            <TextField
                name="name"
                label="Name"
                help="Left blank, it is what stands behind the key."
                max=100
                typed=name
                refused
            />
        </FormDialog>
    }
}

#[component]
fn DeleteDialog(id: SshKeyId, name: String, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let title = format!("Delete {name}?");
    let words = "Machines stop accepting it within a minute. Sessions that are open go on until they are closed.";
    let act: Act = Callback::new(move |_| {
        let told = format!("{name} deleted.");
        async move {
            let answer = api::account::delete_ssh_key(id).await;
            data.refresh(Key::SshKeys);
            answer.map(|()| told)
        }
        .boxed_local()
    });
    view! { <AskDialog title words confirm="Delete" is_grave=true has_reason=false act on_close/> }
}
