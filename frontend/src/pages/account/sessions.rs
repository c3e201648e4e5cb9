//! The sessions of the signed-in user, one per browser.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::SessionId;
use shared_types::app_server::Possible;
use shared_types::user::Session;
use std::sync::Arc;

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
    Others,
}

#[component]
pub fn SessionsCard(sessions: Memo<Arc<Vec<Session>>>) -> impl IntoView {
    let asked = RwSignal::new(None::<End>);
    let ids = Memo::new(move |_| sessions.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()));
    let possible = Signal::derive(move || match sessions.with(|all| all.iter().any(|one| !one.is_current)) {
        true => Possible::Yes,
        false => Possible::No("This is the only one."),
    });
    view! {
        <section class="card" aria-label="Sessions">
            <header>
                <h2>"Sessions"</h2>
                <span class="fine">{move || ids.with(Vec::len)}</span>
                <span class="right">
                    <PossibleButton
                        possible
                        role=Role::Viewer
                        shape=Shape::Out
                        label="Sign out other sessions…"
                        on_click=Callback::new(move |()| asked.set(Some(End::Others)))
                    />
                </span>
            </header>
            <ul class="lines">
                <For each=move || ids.get() key=|id| *id let:id>
                    {session_of(sessions, id).map(|session| view! { <SessionRow session asked/> })}
                </For>
            </ul>
        </section>
        {move || asked.get().map(|end| view! { <EndDialog end on_close=Callback::new(move |()| asked.set(None))/> })}
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
fn EndDialog(end: End, on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let (title, words, told) = match &end {
        End::One(_, name) => (
            format!("End the session of {name}?"),
            "That browser is signed out immediately. If this was not you, change your password.",
            "The session has ended.",
        ),
        End::Others => (
            "End all other sessions?".to_owned(),
            "Every browser but this one is signed out immediately. API tokens keep working.",
            "All other sessions have ended.",
        ),
    };
    let act: Act = Callback::new(move |_| {
        let end = end.clone();
        async move {
            let answer = match end {
                End::One(id, _) => api::account::end_session(id).await,
                End::Others => api::account::end_other_sessions().await,
            };
            data.refresh(Key::Sessions);
            answer.map(|()| told.to_owned())
        }
        .boxed_local()
    });
    view! { <AskDialog title words confirm="End" is_grave=true has_reason=false act on_close/> }
}
