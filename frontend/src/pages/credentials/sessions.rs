//! The sessions of a user, one per browser.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::SessionId;
use shared_types::app_server::Possible;
use shared_types::user::Session;
use std::sync::Arc;

use super::Holder;
use super::browser::name_of;
use crate::api;
use crate::components::{Act, AskDialog, PossibleButton};
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;
use shared_types::Role;

/// The sessions to end after confirmation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    One(SessionId, String),
    /// All that the button of the card ends: one's own others, or all of another user.
    Many,
}

#[component]
pub fn SessionsCard(sessions: Memo<Arc<Vec<Session>>>, holder: Holder) -> impl IntoView {
    let asked = RwSignal::new(None::<End>);
    let ids = Memo::new(move |_| sessions.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let is_mine = holder == Holder::Me;
    let possible =
        Signal::derive(move || match sessions.with(|all| all.iter().any(|one| !is_mine || !one.is_current)) {
            true => Possible::Yes,
            false if is_mine => Possible::No("This is the only one."),
            false => Possible::No("There are none."),
        });
    let (role, label) =
        if is_mine { (Role::Viewer, "Sign out other sessions…") } else { (Role::Admin, "End all sessions…") };
    view! {
        <section class="card" aria-label="Sessions">
            <header>
                <h2>"Sessions"</h2>
                <span class="fine">{move || ids.with(Vec::len)}</span>
                <span class="right">
                    <PossibleButton
                        possible
                        role
                        shape=Shape::Out
                        label
                        on_click=Callback::new(move |()| asked.set(Some(End::Many)))
                    />
                </span>
            </header>
            <Show when=move || is_empty.get()>
                <p class="body fine">"Not signed in with any browser."</p>
            </Show>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {session_of(sessions, id).map(|session| view! { <SessionRow session asked/> })}
                </For>
            </ul>
        </section>
        {move || asked.get().map(|end| view! {
            <EndDialog end holder=holder.clone() on_close=Callback::new(move |()| asked.set(None))/>
        })}
    }
}

/// One session, as last known: it may end before its view is removed.
fn session_of(sessions: Memo<Arc<Vec<Session>>>, id: SessionId) -> Option<Memo<Session>> {
    let find = move |all: &Arc<Vec<Session>>| all.iter().find(|one| one.id == id).cloned();
    let first = sessions.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&Session>| sessions.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

#[component]
fn SessionRow(session: Memo<Session>, asked: RwSignal<Option<End>>) -> impl IntoView {
    let now = clock::now();
    let Session { id, created, expires, user_agent, is_current, .. } = session.get_untracked();
    let name = user_agent.as_deref().map_or_else(|| "Unknown browser".to_owned(), name_of);
    let from = move || session.with(|session| session.address.clone()).map(|address| format!(" from {address}"));
    let end = {
        let name = name.clone();
        move |_| asked.set(Some(End::One(id, name.clone())))
    };
    let last = if is_current {
        view! { <span class="label good"><Icon shape=Shape::Check/>"Current session"</span> }.into_any()
    } else {
        view! {
            <button type="button" aria-label=format!("End the session of {name}…") on:click=end>
                <Icon shape=Shape::Out/>
                "End…"
            </button>
        }
        .into_any()
    };
    view! {
        <li>
            <div class="grow">
                <b title=user_agent dir="auto">{name}</b>
                <div class="fine">
                    "Last used " {move || words::ago(session.with(|session| session.last_seen), now.get())} {from}
                    ", signed in " {move || words::ago(created, now.get())}
                    ", expires in " {move || words::span(expires - now.get())}
                </div>
            </div>
            {last}
        </li>
    }
}

#[component]
fn EndDialog(end: End, holder: Holder, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (title, words) = question(&end, &holder);
    let told = match (&end, &holder) {
        (End::One(..), _) => "The session has ended.".to_owned(),
        (End::Many, Holder::Me) => "All other sessions have ended.".to_owned(),
        (End::Many, Holder::User { name, .. }) => format!("All sessions of {name} have ended."),
    };
    let act: Act = Callback::new(move |_| {
        let (end, holder, told) = (end.clone(), holder.clone(), told.clone());
        async move {
            let (answer, key) = match (end, holder) {
                (End::One(id, _), Holder::Me) => (api::account::end_session(id).await, Key::Sessions),
                (End::Many, Holder::Me) => (api::account::end_other_sessions().await, Key::Sessions),
                (End::One(id, _), Holder::User { id: user, .. }) => {
                    (api::users::end_session(user, id).await, Key::UserSessions(user))
                }
                (End::Many, Holder::User { id: user, .. }) => {
                    (api::users::end_sessions(user).await, Key::UserSessions(user))
                }
            };
            data.refresh(key);
            answer.map(|()| told)
        }
        .boxed_local()
    });
    view! { <AskDialog title words confirm="End" is_grave=true has_reason=false act on_close/> }
}

/// The title and the words of the dialog.
fn question(end: &End, holder: &Holder) -> (String, &'static str) {
    match (end, holder) {
        (End::One(_, browser), Holder::Me) => (
            format!("End the session of {browser}?"),
            "That browser is signed out immediately. If this was not you, change your password.",
        ),
        (End::One(_, browser), Holder::User { name, .. }) => (
            format!("End {name}'s session of {browser}?"),
            "That browser is signed out immediately. The user can sign in again.",
        ),
        (End::Many, Holder::Me) => (
            "End all other sessions?".to_owned(),
            "Every browser but this one is signed out immediately. API tokens keep working.",
        ),
        (End::Many, Holder::User { is_own: true, .. }) => (
            "End all of your sessions?".to_owned(),
            "This is you: every browser is signed out immediately, this one too. API tokens keep working.",
        ),
        (End::Many, Holder::User { name, .. }) => (
            format!("End all sessions of {name}?"),
            "Every browser is signed out immediately. The user can sign in again, and API tokens keep working.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use shared_types::UserId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn an_administrator_is_told_that_ending_all_their_own_sessions_ends_this_one() {
        let user = samples::account(7, Role::Admin);
        let (title, words) = question(&End::Many, &Holder::of(&user, Some(UserId(7))));
        assert_eq!(title, "End all of your sessions?");
        assert!(words.contains("this one too"), "{words}");
        let (title, words) = question(&End::Many, &Holder::of(&user, Some(UserId(8))));
        assert_eq!(title, "End all sessions of user7?");
        assert!(!words.contains("this one too"), "{words}");
    }
}
