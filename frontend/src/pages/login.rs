//! The sign-in page.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::sign_in::{SignInProblem, SignInProvider};
use shared_types::user::Login as Credentials;

use crate::api;
use crate::paths;
use crate::state::state;
use crate::ui::{Icon, Shape, Title, use_location};

/// The form. Redirecting after the sign-in is the task of the guard in `app`.
#[component]
pub fn Login() -> impl IntoView {
    let session = state().session;
    let (username, password) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    let is_busy = RwSignal::new(false);
    let location = use_location();
    let asked = |name: &str| untrack(|| location.parameter(name));
    let told = asked("problem").and_then(|word| SignInProblem::parse(&word));
    let why = RwSignal::new(told.map(|problem| problem.words().to_owned()));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let value = |field: NodeRef<html::Input>| field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let login = Credentials { username: value(username), password: value(password) };
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        spawn_local(async move {
            let answer = api::auth::login(&login).await;
            is_busy.set(false);
            match answer {
                Ok(user) => session.begin(user),
                Err(error) => why.set(Some(error.to_string())),
            }
        });
    };
    view! {
        <Title text="Sign in"/>
        <main class="login">
            <Icon shape=Shape::Cube/>
            <h1>"OpenCraft Instance Manager"</h1>
            <form class="card" on:submit=submit aria-label="Sign in">
                <Fields username password/>
                <div role="alert" class="why" hidden=move || why.get().is_none()>{move || why.get()}</div>
                <button class="primary" type="submit" aria-disabled=move || is_busy.get().to_string()>
                    "Sign in"
                </button>
                <Providers next=asked("next")/>
            </form>
        </main>
    }
}

/// The external providers of sign-in, if any.
#[component]
fn Providers(next: Option<String>) -> impl IntoView {
    let providers = RwSignal::new(Vec::new());
    spawn_local(async move {
        // On an error the password form still works.
        if let Ok(found) = api::auth::providers().await {
            // The page may have been left meanwhile.
            let _ = providers.try_set(found.items);
        }
    });
    let button = move |provider: SignInProvider| {
        let to = paths::sign_in_at(&provider.url, next.as_deref());
        view! { <a class="btn" href=to rel="external">"Sign in with " {provider.name}</a> }
    };
    move || providers.get().into_iter().map(button.clone()).collect_view()
}

#[component]
fn Fields(username: NodeRef<html::Input>, password: NodeRef<html::Input>) -> impl IntoView {
    view! {
        <label>
            "Username"
            <input
                node_ref=username
                name="username"
                autocomplete="username"
                autocapitalize="none"
                maxlength="150"
                required
                autofocus
            />
        </label>
        <label>
            "Password"
            <input
                node_ref=password
                name="password"
                type="password"
                autocomplete="current-password"
                maxlength="1024"
                required
            />
        </label>
    }
}
