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
                <For each=move || servers.get() key=row_key let:server>
                    <Row server selected/>
                </For>
            </ul>
        </aside>
    }
}

/// Changes whenever something changes that the row shows.
fn row_key(server: &AppServerSummary) -> (AppServerId, String) {
    let progress = &server.progress;
    let seen = format!("{}|{:?}|{:.2}|{:?}", server.status_name, server.serving, progress.share(), server.failure);
    (server.id, seen)
}

#[component]
fn Row(server: AppServerSummary, selected: Memo<Option<AppServerId>>) -> impl IntoView {
    let now = clock::now();
    let (id, created) = (server.id, server.created);
    let current = move || (selected.get() == Some(id)).then_some("true");
    let under = match (&server.failure, &server.reason) {
        (Some(why), _) => why.clone(),
        (None, Some(why)) => format!("{}, «{why}»", server.requested_by),
        (None, None) => server.requested_by.clone(),
    };
    let share = server.status.is_building().then(|| server.progress.share());
    view! {
        <li>
            <a href=paths::app_server(server.instance_id, id) aria-current=current>
                <StatusDot status=server.status/>
                <span>
                    <b>{server.name.clone()}</b>
                    {(server.serving == Serving::Active).then(|| view! { <span class="fine">" (Active)"</span> })}
                </span>
                <span class="fine">{state_words(&server)}</span>
                {share.map(|share| view! { <ProgressBar share/> })}
                <span class="fine under">{under} " · " {move || words::ago(created, now.get())}</span>
            </a>
        </li>
    }
}
