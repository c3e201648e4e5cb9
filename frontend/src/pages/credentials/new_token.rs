//! Creating an API token, and its secret, which is shown once.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::Role;
use shared_types::app_server::Possible;
use shared_types::user::{CreatedToken, NewToken, Scope};

use crate::api;
use crate::components::{CopyButton, Fill, FormDialog, Refused, TextField};
use crate::state::data::Key;
use crate::state::state;
use crate::ui::{Dialog, Icon, Shape};

/// The choices for a token's validity in days.
const DAYS: [(i64, &str); 5] = [(1, "1 day"), (7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "1 year")];
const USUAL_DAYS: i64 = 90;

#[component]
pub fn NewTokenDialog(
    /// Receives the created token.
    made: RwSignal<Option<CreatedToken>>,
    on_close: Callback<()>,
) -> impl IntoView {
    let data = state().data;
    let refused = Refused::default();
    let name = RwSignal::new(String::new());
    let scopes = RwSignal::new(vec![Scope::Read]);
    let days = RwSignal::new(USUAL_DAYS);
    let act: Fill = Callback::new(move |()| {
        let scopes = scopes.get_untracked();
        let new = NewToken {
            name: name.get_untracked(),
            role: role_for(&scopes),
            scopes: Some(scopes),
            expires_in_days: Some(days.get_untracked()),
        };
        async move {
            let created = api::account::create_token(&new).await?;
            data.refresh(Key::Tokens);
            let told = format!("{} created.", created.token.name);
            made.set(Some(created));
            Ok(told)
        }
        .boxed_local()
    });
    let possible = Signal::derive(move || {
        if name.with(|name| name.trim().is_empty()) { Possible::No("Enter a name.") } else { Possible::Yes }
    });
    view! {
        <FormDialog title="New API token" words="For scripts that act as you. It can never do more than you can." confirm="Create token" possible refused act on_close>
            <TextField name="name" label="Name" max=100 typed=name refused/>
            <ScopesField scopes refused/>
            <DaysField days refused/>
        </FormDialog>
    }
}

/// The lowest role that has all these scopes.
fn role_for(scopes: &[Scope]) -> Role {
    scopes.iter().map(|scope| scope.role()).max().unwrap_or(Role::Viewer)
}

#[component]
fn ScopesField(scopes: RwSignal<Vec<Scope>>, refused: Refused) -> impl IntoView {
    let boxes = Scope::ALL.iter().map(|scope| view! { <ScopeBox scope=*scope scopes/> });
    view! {
        <fieldset class="field">
            <legend>"What it may do"</legend>
            <div>
                {boxes.collect_view()}
                <div class="why" aria-live="polite">{move || refused.of("scopes").or_else(|| refused.of("role"))}</div>
            </div>
        </fieldset>
    }
}

#[component]
fn ScopeBox(scope: Scope, scopes: RwSignal<Vec<Scope>>) -> impl IntoView {
    let session = state().session;
    let why_not = Memo::new(move |_| match scope {
        Scope::Read => Some("All tokens can read."),
        Scope::Deploy | Scope::Activate | Scope::Admin => session.may(scope.role()).why_not(),
    });
    let words = match scope {
        Scope::Read => "read everything",
        Scope::Deploy => "create and change instances; launch, stop and terminate app servers",
        Scope::Activate => "activate, roll back, hold and release",
        Scope::Admin => "manage users and the system",
    };
    let changed = move |event: web_sys::Event| {
        let is_wanted = event_target_checked(&event);
        scopes.update(|scopes| {
            scopes.retain(|one| *one != scope);
            if is_wanted {
                scopes.push(scope);
            }
        });
    };
    view! {
        <label class="check" title=why_not>
            <input
                type="checkbox"
                disabled=move || why_not.with(Option::is_some)
                prop:checked=move || scopes.with(|scopes| scopes.contains(&scope))
                on:change=changed
            />
            <span>
                <b>{scope.as_str()}</b>
                " "
                <span class="fine">{words} {move || why_not.get().map(|why| format!(" · {why}"))}</span>
            </span>
        </label>
    }
}

#[component]
fn DaysField(days: RwSignal<i64>, refused: Refused) -> impl IntoView {
    let options = DAYS.map(|(number, words)| {
        view! { <option value=number.to_string() selected=move || days.get() == number>{words}</option> }
    });
    view! {
        <div class="field">
            <label for="token-days">"Expires after"</label>
            <div>
                <select id="token-days" on:change=move |event| days.set(event_target_value(&event).parse().unwrap_or(USUAL_DAYS))>
                    {options.into_iter().collect_view()}
                </select>
                <div class="why" aria-live="polite">{move || refused.of("expires_in_days")}</div>
            </div>
        </div>
    }
}

/// Shows the secret. Only its own button closes it, because the secret cannot be shown again.
#[component]
pub fn SecretDialog(made: CreatedToken, on_close: Callback<()>) -> impl IntoView {
    let CreatedToken { token, secret } = made;
    view! {
        <Dialog label="The new API token" is_busy=Signal::stored(true) on_close>
            <header>
                <h1>"Copy the token now"</h1>
                <p>"Send “" <bdi>{token.name}</bdi> "” as " <code>"Authorization: Bearer <token>"</code> "."</p>
            </header>
            <div class="body">
                <div class="secret">
                    <code tabindex="0" role="textbox" aria-readonly="true" aria-label="Token">{secret.clone()}</code>
                    <CopyButton text=secret/>
                </div>
                <div class="notice" role="note">
                    <Icon shape=Shape::Warning/>
                    <span>"You will not see it again. Anyone who has it can act as you."</span>
                </div>
            </div>
            <footer>
                <button class="primary" type="button" on:click=move |_| on_close.run(())>"I have copied it"</button>
            </footer>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_token_has_the_least_role_for_what_it_is_for() {
        assert_eq!(role_for(&[Scope::Read]), Role::Viewer);
        assert_eq!(role_for(&[Scope::Activate, Scope::Read]), Role::Operator);
        assert_eq!(role_for(&[Scope::Admin, Scope::Deploy]), Role::Admin);
        assert_eq!(role_for(&[]), Role::Viewer);
    }
}
