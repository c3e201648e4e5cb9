//! The app servers of an instance, newest first.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use shared_types::{AppServerId, AppServerStatus, AppServerSummary, HealthState, Instance, Serving};
use std::sync::Arc;

use super::data_place::NextData;
use super::health_label::HealthDot;
use super::lanes::{ProgressBar, deadline_words, time_left};
use super::launch::{Launch, LaunchButton, LaunchOptions};
use super::status_label::{StatusDot, state_words};
use crate::paths;
use crate::state::clock;
use crate::words;

/// The list, with a button that shows more rows.
#[component]
pub fn AppServerList(
    instance: Memo<Arc<Instance>>,
    /// The app server named in the URL.
    selected: Memo<Option<AppServerId>>,
    launch: Launch,
) -> impl IntoView {
    let servers = Memo::new(move |_| instance.with(|instance| instance.appservers.clone()));
    let one = move |id: AppServerId| {
        Memo::new(move |_| servers.with(|servers| servers.iter().find(|server| server.id == id).cloned()))
    };
    let before = move |id: AppServerId| Memo::new(move |_| servers.with(|servers| name_before(servers, id)));
    let active =
        Memo::new(move |_| instance.with(|instance| instance.summary.active_appserver.as_ref().map(|one| one.id)));
    let health = Memo::new(move |_| instance.with(|instance| instance.summary.health_state()));
    view! {
        <aside class="card" aria-label="App Servers">
            <header>
                <h2>"App Servers"</h2>
                <span class="right">
                    <LaunchButton launch/>
                </span>
            </header>
            <LaunchOptions launch/>
            <NextData instance/>
            <Show when=move || servers.with(Vec::is_empty)>
                <p class="body fine">"No app servers yet."</p>
            </Show>
            <ul class="servers">
                <For each=move || servers.with(|all| all.iter().map(|one| one.id).collect::<Vec<_>>()) key=|id| *id let:id>
                    <Row id server=one(id) before=before(id) selected active health/>
                </For>
            </ul>
        </aside>
    }
}

/// A row is not recreated when its app server changes, so that it keeps the focus.
#[component]
fn Row(
    id: AppServerId,
    server: Memo<Option<AppServerSummary>>,
    before: Memo<Option<String>>,
    selected: Memo<Option<AppServerId>>,
    active: Memo<Option<AppServerId>>,
    health: Memo<Option<HealthState>>,
) -> impl IntoView {
    let now = clock::now();
    let current = move || (selected.get() == Some(id)).then_some("true");
    let link = move || server.get().map(|server| paths::app_server(server.instance_id, id));
    let is_active = move || server.get().is_some_and(|server| server.serving == Serving::Active);
    // The active app server shows the health of its sites; the others show the result of their build.
    let dot = move || match health.get().filter(|_| is_active()) {
        Some(state) => Some(view! { <HealthDot state/> }.into_any()),
        None => server.get().map(|server| view! { <StatusDot status=server.status/> }.into_any()),
    };
    let state = move || {
        let server = server.get()?;
        Some(match health.get().filter(|_| server.serving == Serving::Active) {
            Some(HealthState::Ok) | None => state_words(&server, active.get()),
            Some(state) => words::health::label(state).to_owned(),
        })
    };
    let share = Memo::new(move |_| server.get().map_or(0.0, |server| server.progress.share()));
    let build = move || server.get().and_then(|server| build_words(&server, now.get()));
    let deadline = move || server.get().and_then(|server| deadline_words(&server, now.get()));
    let is_building = Memo::new(move |_| server.get().is_some_and(|server| server.status.is_building()));
    view! {
        <li>
            <a href=link aria-current=current>
                {dot}
                <span>
                    <b>{move || server.get().map(|server| server.name)}</b>
                    {move || is_active().then(|| view! { <span class="fine">" (Active)"</span> })}
                </span>
                <span class="fine">{state}</span>
                <Show when=move || is_building.get()>
                    <ProgressBar share/>
                    <span class="fine under" title=deadline>{build}</span>
                </Show>
                <span class="fine under">
                    {move || server.get().map(|server| format!("{} · {}", why(&server, before.get().as_deref()), words::ago(server.created, now.get())))}
                </span>
            </a>
        </li>
    }
}

/// The name of the app server that this one retries, if both are in the list.
pub fn name_before(servers: &[AppServerSummary], id: AppServerId) -> Option<String> {
    let before = servers.iter().find(|one| one.id == id)?.retry_of?;
    servers.iter().find(|one| one.id == before).map(|one| one.name.clone())
}

/// What a build is waiting for, or its estimated time left.
fn build_words(server: &AppServerSummary, now: DateTime<Utc>) -> Option<String> {
    match (&server.stop_requested_by, &server.progress.queued) {
        (Some(who), _) => Some(format!("Stopping… (requested by {who})")),
        (None, Some(queued)) => Some(queued.words()),
        (None, None) => time_left(server, now),
    }
}

/// Why it failed or who stopped it; otherwise who launched it and why.
fn why(server: &AppServerSummary, before: Option<&str>) -> String {
    if let Some(failure) = &server.failure {
        return failure.clone();
    }
    if let (AppServerStatus::Stopped, Some(who)) = (server.status, &server.stop_requested_by) {
        return format!("stopped by {who}");
    }
    let origin = server.origin(before);
    match &server.reason {
        Some(reason) => format!("{origin}, “{reason}”"),
        None => origin,
    }
}
