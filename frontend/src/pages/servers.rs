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
                    <div class="links">"What goes by itself, and what does not belong."</div>
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
            return view! { <p class="body fine">"No machine goes by itself: each is active, the one to go back to, the newest, or pinned."</p> }
                .into_any();
        }
        let rows = expiring.iter().cloned().map(|one| view! { <ExpiringRow one/> });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label="Not needed any more">
            <header>
                <h2>"Not needed any more"</h2>
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
        left if left.num_seconds() <= 0 => "goes now".to_owned(),
        left => format!("goes in {}", words::span_closely(left)),
    };
    view! {
        <li>
            <div class="grow">
                <a href=paths::app_server(instance_id, id)>{instance_name} ": " {app_server_name}</a>
                <div class="fine">"Not needed since " {move || words::clock(unneeded_since, now.get(), &chrono::Local)} ", " {goes}</div>
            </div>
            <PossibleButton shape=Shape::Pin label="Keep" is_busy on_click=pin/>
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
            return view! { <p class="body fine">"Provider and database agree."</p> }.into_any();
        }
        let rows = items.into_iter().map(|orphan| view! { <OrphanRow orphan/> });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label="Where provider and database differ">
            <header>
                <h2>"Where provider and database differ"</h2>
                <span class="fine">{compared}</span>
                <span class="right">
                    <PossibleButton
                        role=Role::Admin
                        shape=Shape::Refresh
                        label="Do it now…"
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
        OrphanKind::Unowned => ("Unowned", "the provider has it and no app server owns it"),
        OrphanKind::Missing => ("Missing", "an app server owns it and the provider does not have it"),
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
                    {provider} ": " {sentence} ". Server " {server_id.to_string()} {owner} "; found "
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
                [] => "Compared; nothing was due.".to_owned(),
                done => format!("Done: {}.", done.join("; ")),
            })
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title="Compare and tidy up now?"
            words="Provider and database are compared anew, and what is due is done: machines that carry our id and belong to no app server are taken away, servers that do not exist are written off. Nothing else is touched."
            confirm="Do it now"
            is_grave=true
            has_reason=false
            act
            on_close
        />
    }
}
