//! The frame around every page: the redirects to and from the sign-in page, the page that the URL names, the layers.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{OfflineBanner, Shell, ToastList};
use crate::pages::Login;
use crate::paths::{self, Page};
use crate::state::{SessionState, State, state};
use crate::ui::{Loading, Location, NavigateOptions, use_location, use_navigate};

#[component]
pub fn App() -> impl IntoView {
    Location::provide();
    let state = State::provide();
    spawn_local(state.session.ask());
    view! {
        <Screen/>
        <ToastList/>
        <OfflineBanner/>
    }
}

#[component]
fn Screen() -> impl IntoView {
    let state = state();
    let location = use_location();
    let page = Memo::new(move |_| Page::parse(&location.pathname.get()));
    provide_context(page);
    let is_login = Memo::new(move |_| page.get() == Page::Login);
    let session = state.session.state();
    listen_while_signed_in(state);
    guard(page);
    move || match (session.get(), is_login.get()) {
        (SessionState::Unknown, _) => view! { <Loading/> }.into_any(),
        (SessionState::Unreachable(error), _) => view! {
            <main class="lone" role="alert">
                <h1>"The server does not answer"</h1>
                <p>{error.to_string()} " It is asked again every few seconds."</p>
            </main>
        }
        .into_any(),
        (SessionState::SignedIn(_), false) => view! { <Shell/> }.into_any(),
        (SessionState::SignedOut, true) => view! { <Login/> }.into_any(),
        // Draw nothing: the guard is redirecting.
        (SessionState::SignedOut, false) | (SessionState::SignedIn(_), true) => ().into_any(),
    }
}

/// Redirects to the sign-in page without a session, and back from it with one.
fn guard(page: Memo<Page>) {
    let session = state().session.state();
    let location = use_location();
    let navigate = use_navigate();
    Effect::new(move || {
        let to = match (session.get(), page.get()) {
            (SessionState::SignedOut, Page::Login) => return,
            (SessionState::SignedOut, _) => {
                let here = [&location.pathname, &location.search, &location.hash].map(|part| part.get_untracked());
                let [path, search, hash] = here;
                paths::login(&format!("{path}{search}{hash}"))
            }
            (SessionState::SignedIn(_), Page::Login) => {
                paths::after_login(untrack(|| location.parameter("next")).as_deref())
            }
            (SessionState::SignedIn(_) | SessionState::Unknown | SessionState::Unreachable(_), _) => return,
        };
        // Not within the effect: the views that triggered it are still being drawn.
        request_animation_frame(move || navigate(&to, NavigateOptions { replace: true, ..Default::default() }));
    });
}

fn listen_while_signed_in(state: State) {
    let user = Memo::new(move |_| state.session.user().map(|user| user.id));
    Effect::new(move || {
        if let Some(user) = user.get() {
            state.drafts.belong_to(user);
            state.live.start();
        } else {
            state.live.stop();
            state.data.clear();
        }
    });
}
