//! Unneeded machines: when they expire, and where provider and database differ.

use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::Role;
use shared_types::retention::{Expiring, Orphan, OrphanKind, Orphans};
use std::sync::Arc;

use super::when_here;
use crate::api;
use crate::components::{Act, AskDialog, PossibleButton};
use crate::paths;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Shape, Title};
use crate::words;

#[component]
pub fn ServersPage() -> impl IntoView {
    let data = state().data;
    let (expiring, orphans) = (data.expiring(), data.orphans());
    view! {
        <Title text="Machines"/>
        <div class="page">
            <div class="head">
                <div>
                    <h1>"Machines"</h1>
                    <div class="links">"Machines scheduled for deletion, and orphans."</div>
                </div>
            </div>
            <div class="below-head stack">
                {when_here(expiring, |expiring| view! { <ExpiringCard expiring/> }.into_any())}
                {when_here(orphans, |orphans| view! { <OrphansCard orphans/> }.into_any())}
            </div>
        </div>
    }
}

#[component]
fn ExpiringCard(expiring: Memo<Arc<Vec<Expiring>>>) -> impl IntoView {
    let list = move || {
        let expiring = expiring.get();
        if expiring.is_empty() {
            return view! { <p class="body fine">"None. All machines are active, fallback, newest or pinned."</p> }
                .into_any();
        }
        let rows = expiring.iter().cloned().map(|one| view! { <ExpiringRow one/> });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label="Scheduled for deletion">
            <header>
                <h2>"Scheduled for deletion"</h2>
                <span class="fine">{move || expiring.with(|all| all.len())}</span>
            </header>
            {list}
        </section>
    }
}

#[component]
fn ExpiringRow(one: Expiring) -> impl IntoView {
    let state = state();
    let now = clock::now();
    let is_busy = RwSignal::new(false);
    let Expiring { app_server_id: id, app_server_name, instance_id, instance_name, unneeded_since, terminates_at } =
        one;
    let name = app_server_name.clone();
    let pin = Callback::new(move |()| {
        is_busy.set(true);
        let name = name.clone();
        spawn_local(async move {
            match api::app_servers::pin(id, None).await {
                Ok(_) => state.toasts.success(format!("{name} is pinned: it keeps its machine until it is unpinned.")),
                Err(error) => state.failed("Pinning failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::Expiring);
        });
    });
    let goes = move || match terminates_at - now.get() {
        left if left.num_seconds() <= 0 => "due for deletion".to_owned(),
        left => format!("deleted in {}", words::span_closely(left)),
    };
    view! {
        <li>
            <div class="grow">
                <a href=paths::app_server(instance_id, id)>{instance_name} ": " {app_server_name}</a>
                <div class="fine">"Unused since " {move || words::clock(unneeded_since, now.get(), &chrono::Local)} ", " {goes}</div>
            </div>
            <PossibleButton shape=Shape::Pin label="Pin" is_busy on_click=pin/>
        </li>
    }
}

#[component]
fn OrphansCard(orphans: Memo<Arc<Orphans>>) -> impl IntoView {
    let now = clock::now();
    let is_asking = RwSignal::new(false);
    let items = Memo::new(move |_| orphans.with(|orphans| orphans.items.clone()));
    let note = Memo::new(move |_| orphans.with(|orphans| orphans.note.clone()));
    let compared = move || match orphans.with(|orphans| orphans.compared_at) {
        Some(at) => format!("compared {}", words::ago(at, now.get())),
        None => "not compared yet".to_owned(),
    };
    let list = move || {
        let items = items.get();
        if items.is_empty() {
            return view! { <p class="body fine">"None found."</p> }.into_any();
        }
        let rows = items.into_iter().map(|orphan| view! { <OrphanRow orphan/> });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label="Orphaned and missing machines">
            <header>
                <h2>"Orphaned and missing machines"</h2>
                <span class="fine">{compared}</span>
                <span class="right">
                    <PossibleButton
                        role=Role::Admin
                        shape=Shape::Refresh
                        label="Reconcile now…"
                        on_click=Callback::new(move |()| is_asking.set(true))
                    />
                </span>
            </header>
            {move || note.get().map(|words| view! { <p class="why" role="status">{words}</p> })}
            {list}
        </section>
        <Show when=move || is_asking.get()>
            <ReapDialog on_close=Callback::new(move |()| is_asking.set(false))/>
        </Show>
    }
}

#[component]
fn OrphanRow(orphan: Orphan) -> impl IntoView {
    let now = clock::now();
    let Orphan { kind, provider, provider_id, server_id, app_server_id, first_seen, last_seen, due_at, action } =
        orphan;
    let (word, sentence) = match kind {
        OrphanKind::Unowned => ("Orphan", "exists at the provider, belongs to no app server"),
        OrphanKind::Missing => ("Missing", "no longer exists at the provider"),
    };
    let owner = app_server_id.map(|id| format!(", app server {id}"));
    let due = move || match due_at - now.get() {
        left if left.num_seconds() <= 0 => "now".to_owned(),
        left => format!("in {}", words::span_closely(left)),
    };
    view! {
        <li>
            <div class="grow">
                <span class="label busy">{word}</span>
                " "
                <span class="mono">{provider_id}</span>
                <div class="fine">
                    {provider.as_str()} ": " {sentence} ". Server " {server_id.to_string()} {owner} "; found "
                    {move || words::ago(first_seen, now.get())} ", last " {move || words::ago(last_seen, now.get())} "."
                </div>
                <div class="fine">"Due " {due} ": " {action} "."</div>
            </div>
        </li>
    }
}

#[component]
fn ReapDialog(on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let act: Act = Callback::new(move |_| {
        async move {
            let answer = api::machines::reap().await;
            data.refresh(Key::Orphans);
            answer.map(|orphans| match orphans.done.as_slice() {
                [] => "No changes.".to_owned(),
                done => format!("Done: {}.", done.join("; ")),
            })
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title="Reconcile now?"
            words="Deletes overdue orphaned machines that this manager created, and closes the records of missing ones. Other machines are not touched."
            confirm="Reconcile"
            is_grave=true
            has_reason=false
            act
            on_close
        />
    }
}
