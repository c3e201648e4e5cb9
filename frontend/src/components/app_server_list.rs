//! The app servers of an instance, the newest first.

use leptos::prelude::*;
use shared_types::{AppServerId, AppServerSummary, Instance, Serving};
use std::sync::Arc;

use super::lanes::ProgressBar;
use super::launch::{Launch, LaunchButton};
use super::status_label::{StatusDot, state_words};
use crate::paths;
use crate::state::clock;
use crate::words;

/// The list, with the button that makes it longer.
#[component]
pub fn AppServerList(
    /// Whose.
    instance: Memo<Arc<Instance>>,
    /// Which is selected.
    selected: Memo<Option<AppServerId>>,
    /// What launches.
    launch: Launch,
) -> impl IntoView {
    let servers = Memo::new(move |_| instance.with(|instance| instance.appservers.clone()));
    let one = move |id: AppServerId| {
        Memo::new(move |_| servers.with(|servers| servers.iter().find(|server| server.id == id).cloned()))
    };
    view! {
        <aside class="card" aria-label="App Servers">
            <header>
                <h2>"App Servers"</h2>
                <span class="right">
                    <LaunchButton launch/>
                </span>
            </header>
            <Show when=move || servers.with(Vec::is_empty)>
                <p class="body fine">"There is none yet."</p>
            </Show>
            <ul class="servers">
                <For each=move || servers.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()) key=|id| *id let:id>
                    <Row id server=one(id) selected/>
                </For>
            </ul>
        </aside>
    }
}

/// A row stays what it is while its app server changes: a focused one stays focused.
#[component]
fn Row(id: AppServerId, server: Memo<Option<AppServerSummary>>, selected: Memo<Option<AppServerId>>) -> impl IntoView {
    let now = clock::now();
    let current = move || (selected.get() == Some(id)).then_some("true");
    let link = move || server.get().map(|server| paths::app_server(server.instance_id, id));
    let is_active = move || server.get().is_some_and(|server| server.serving == Serving::Active);
    let share = Memo::new(move |_| server.get().map_or(0.0, |server| server.progress.share()));
    let is_building = Memo::new(move |_| server.get().is_some_and(|server| server.status.is_building()));
    view! {
        <li>
            <a href=link aria-current=current>
                {move || server.get().map(|server| view! { <StatusDot status=server.status/> })}
                <span>
                    <b>{move || server.get().map(|server| server.name)}</b>
                    {move || is_active().then(|| view! { <span class="fine">" (Active)"</span> })}
                </span>
                <span class="fine">{move || server.get().map(|server| state_words(&server))}</span>
                <Show when=move || is_building.get()>
                    <ProgressBar share/>
                </Show>
                <span class="fine under">
                    {move || server.get().map(|server| format!("{} · {}", why(&server), words::ago(server.created, now.get())))}
                </span>
            </a>
        </li>
    }
}

/// Why it failed, else who launched it and why.
fn why(server: &AppServerSummary) -> String {
    match (&server.failure, &server.reason) {
        (Some(failure), _) => failure.clone(),
        (None, Some(reason)) => format!("{}, «{reason}»", server.requested_by),
        (None, None) => server.requested_by.clone(),
    }
}
