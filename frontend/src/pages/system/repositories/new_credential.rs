//! Adding the credential of private repositories.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::app_server::Possible;
use shared_types::source_credential::{CredentialKind, NewSourceCredential};

use super::kind_words;
use crate::api;
use crate::components::{Fill, FormDialog, RadioField, Refused, TextArea, TextField};
use crate::state::data::Key;
use crate::state::state;

/// What is typed for a new credential.
#[derive(Debug, Clone, Copy)]
struct Typed {
    source: RwSignal<String>,
    kind: RwSignal<CredentialKind>,
    username: RwSignal<String>,
    token: RwSignal<String>,
    private_key: RwSignal<String>,
    known_hosts: RwSignal<String>,
}

impl Typed {
    fn new() -> Self {
        let text = || RwSignal::new(String::new());
        let kind = RwSignal::new(CredentialKind::DeployKey);
        Self { source: text(), kind, username: text(), token: text(), private_key: text(), known_hosts: text() }
    }

    /// The secret of the chosen kind.
    fn secret(self) -> RwSignal<String> {
        match self.kind.get() {
            CredentialKind::DeployKey => self.private_key,
            CredentialKind::Token => self.token,
        }
    }

    fn possible(self) -> Possible {
        let is_blank = |text: RwSignal<String>| text.with(|text| text.trim().is_empty());
        let is_key = self.kind.get() == CredentialKind::DeployKey;
        if is_blank(self.source) {
            Possible::No("Enter the repositories.")
        } else if is_blank(self.secret()) {
            Possible::No(if is_key { "Paste the private key." } else { "Enter the token." })
        } else if is_key && is_blank(self.known_hosts) {
            Possible::No("Paste the host keys of the server.")
        } else {
            Possible::Yes
        }
    }

    /// The request, with the fields of the chosen kind only.
    fn request(self) -> NewSourceCredential {
        let kind = self.kind.get();
        let filled = |text: RwSignal<String>, of: CredentialKind| {
            let text = text.get().trim().to_owned();
            (kind == of && !text.is_empty()).then_some(text)
        };
        NewSourceCredential {
            source: self.source.get().trim().to_owned(),
            kind,
            username: filled(self.username, CredentialKind::Token),
            secret: self.secret().get(),
            known_hosts: filled(self.known_hosts, CredentialKind::DeployKey),
        }
    }
}

#[component]
pub(super) fn NewCredentialDialog(on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let refused = Refused::default();
    let typed = Typed::new();
    let act: Fill = Callback::new(move |()| {
        let new = untrack(|| typed.request());
        async move {
            let made = api::source_credentials::create(&new).await?;
            data.refresh(Key::SourceCredentials);
            Ok(format!("Credential of {} added.", made.source))
        }
        .boxed_local()
    });
    Effect::new(move || {
        // Errors are about the kind that was sent.
        typed.kind.track();
        ["source", "secret", "username", "known_hosts"].into_iter().for_each(|field| refused.forget(field));
    });
    let possible = Signal::derive(move || typed.possible());
    let words = |kind: CredentialKind| match kind {
        CredentialKind::DeployKey => "for ssh; the git server needs the public key",
        CredentialKind::Token => "for https; sent as the password",
    };
    let kinds = CredentialKind::ALL.iter().map(|one| (*one, kind_words(*one), words(*one))).collect();
    let fields = move || match typed.kind.get() {
        CredentialKind::DeployKey => view! { <KeyFields typed refused/> }.into_any(),
        CredentialKind::Token => view! { <TokenFields typed refused/> }.into_any(),
    };
    view! {
        <FormDialog
            title="New credential"
            words="Builds use this credential to read private repositories. The secret is stored encrypted and is never shown again."
            confirm="Add credential"
            possible
            refused
            act
            on_close
        >
            <RadioField name="kind" label="Kind" choices=kinds chosen=typed.kind/>
            <TextField
                name="source"
                label="Repositories"
                help="One repository, or all below a path with /*. With a key: ssh://git@host/owner/*. With a token: https://host/owner/*."
                max=500
                typed=typed.source
                refused
            />
            {fields}
        </FormDialog>
    }
}

#[component]
fn KeyFields(typed: Typed, refused: Refused) -> impl IntoView {
    view! {
        <TextArea
            name="secret"
            label="Private key"
            help="As ssh-keygen writes it, without a passphrase."
            max=20_000
            typed=typed.private_key
            refused
        />
        <TextArea
            name="known_hosts"
            label="Host keys"
            help="The lines that ssh-keyscan prints. Compare them with those that the server's owner publishes."
            max=20_000
            typed=typed.known_hosts
            refused
        />
    }
}

#[component]
fn TokenFields(typed: Typed, refused: Refused) -> impl IntoView {
    view! {
        <TextField
            name="username"
            label="Login name"
            help="Leave blank unless the git server requires one; git is sent then."
            max=100
            typed=typed.username
            refused
        />
        <TextField name="secret" label="Token" kind="password" max=20_000 typed=typed.token refused/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn only_the_fields_of_the_chosen_kind_are_sent() {
        let owner = Owner::new();
        owner.set();
        let typed = Typed::new();
        typed.source.set(" https://git.example/acme/* ".to_owned());
        typed.private_key.set("KEY".to_owned());
        typed.known_hosts.set("git.example ssh-ed25519 AAAA".to_owned());
        assert!(typed.possible().why_not().is_none());
        typed.kind.set(CredentialKind::Token);
        assert_eq!(typed.possible().why_not(), Some("Enter the token."));
        typed.token.set("glpat".to_owned());
        let request = typed.request();
        assert_eq!((request.source.as_str(), request.secret.as_str()), ("https://git.example/acme/*", "glpat"));
        assert_eq!((request.username, request.known_hosts), (None, None));
        drop(owner);
    }
}
