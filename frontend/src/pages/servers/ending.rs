//! Machines that are going to be deleted, the earliest first. Pinning its app server keeps a machine.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::AppServerId;
use shared_types::retention::Expiring;
use std::sync::Arc;

use crate::api;
use crate::components::PossibleButton;
use crate::paths;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::Shape;
use crate::words;

#[component]
pub fn Ending(expiring: Memo<Arc<Vec<Expiring>>>) -> impl IntoView {
    let ids = Memo::new(move |_| expiring.with(|all| all.iter().map(|one| one.app_server_id).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    view! {
        <section class="card" aria-label="Scheduled for deletion">
            <header>
                <h2>"Scheduled for deletion"</h2>
                <span class="fine">"the earliest first"</span>
            </header>
            <Show
                when=move || !is_empty.get()
                fallback=|| view! { <p class="body fine">"None. All machines are active, fallback, newest or pinned."</p> }
            >
                <ul class="lines">
                    <For each=move || ids.get() key=|id| *id let:id>
                        {row_of(expiring, id).map(|one| view! { <EndingRow one/> })}
                    </For>
                </ul>
            </Show>
        </section>
    }
}

/// One row, as last known: it may be removed before its view.
fn row_of(all: Memo<Arc<Vec<Expiring>>>, id: AppServerId) -> Option<Memo<Expiring>> {
    let find = move |all: &Arc<Vec<Expiring>>| all.iter().find(|one| one.app_server_id == id).cloned();
    let first = all.with_untracked(find)?;
    Some(Memo::new(move |last: Option<&Expiring>| all.with(find).unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

#[component]
fn EndingRow(one: Memo<Expiring>) -> impl IntoView {
    let state = state();
    let now = clock::now();
    let is_busy = RwSignal::new(false);
    let Expiring { app_server_id: id, app_server_name: name, instance_id, server_name, provider, .. } =
        one.get_untracked();
    let called = name.clone();
    let pin = Callback::new(move |()| {
        is_busy.set(true);
        let name = called.clone();
        spawn_local(async move {
            match api::app_servers::pin(id, None).await {
                Ok(_) => state.toasts.success(format!("{name} is pinned: it keeps its machine until it is unpinned.")),
                Err(error) => state.failed("Pinning failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::Expiring);
        });
    });
    let unused = move || one.with(|one| words::clock(one.unneeded_since, now.get(), &chrono::Local));
    let goes = move || match words::machine::until(one.with(|one| one.terminates_at), now.get()).as_str() {
        "now" => "due for deletion".to_owned(),
        left => format!("deleted {left}"),
    };
    let ip = move || one.with(|one| one.public_ip.clone()).map(|ip| view! { " · " <span class="mono">{ip}</span> });
    view! {
        <li>
            <div class="grow">
                <a href=paths::app_server(instance_id, id)>
                    {move || one.with(|one| one.instance_name.clone())} ": " {name}
                </a>
                <div class="fine">{server_name} " · " {provider} {ip}</div>
                <div class="fine">"Unused since " {unused} ", " {goes}</div>
            </div>
            <PossibleButton shape=Shape::Pin label="Pin" is_busy on_click=pin/>
        </li>
    }
}
