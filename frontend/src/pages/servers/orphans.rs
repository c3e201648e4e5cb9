//! Machines that differ between provider and database: orphans, which no app server owns, and missing ones, which the
//! provider does not have any more.

use futures::FutureExt;
use leptos::prelude::*;
use shared_types::Role;
use shared_types::retention::{Orphan, OrphanKind, Orphans};
use std::sync::Arc;

use crate::api;
use crate::components::{Act, AskDialog, PossibleButton};
use crate::paths;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::Shape;
use crate::words;

/// The differences of one kind.
#[component]
pub fn Differences(kind: OrphanKind, orphans: Memo<Arc<Orphans>>) -> impl IntoView {
    let now = clock::now();
    let is_asking = RwSignal::new(false);
    let (title, explained, none) = words_of(kind);
    let items = Memo::new(move |_| {
        let of_kind = |one: &&Orphan| one.kind == kind;
        orphans.with(|orphans| orphans.items.iter().filter(of_kind).cloned().collect::<Vec<_>>())
    });
    let note = Memo::new(move |_| orphans.with(|orphans| orphans.note.clone()));
    let compared = move || match orphans.with(|orphans| orphans.compared_at) {
        Some(at) => format!("compared {}", words::ago(at, now.get())),
        None => "not compared yet".to_owned(),
    };
    let list = move || {
        let items = items.get();
        if items.is_empty() {
            return view! { <p class="body fine">{none}</p> }.into_any();
        }
        let rows = items.into_iter().map(|orphan| view! { <OrphanRow orphan/> });
        view! {
            <p class="meaning">{explained}</p>
            <ul class="lines">{rows.collect_view()}</ul>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-label=title>
            <header>
                <h2>{title}</h2>
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

/// The title, what the machines of the list are, and what is said if there are none.
const fn words_of(kind: OrphanKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        OrphanKind::Unowned => (
            "Orphaned machines",
            "They exist at the provider and belong to no app server. ocim made them, and deletes them after a grace period.",
            "None found. Every machine that ocim has made belongs to an app server.",
        ),
        OrphanKind::Missing => (
            "Missing machines",
            "Their app servers own them, and the provider does not have them any more. Their records are closed after a second look.",
            "None found. The provider has every machine that an app server owns.",
        ),
    }
}

#[component]
fn OrphanRow(orphan: Orphan) -> impl IntoView {
    let now = clock::now();
    let Orphan { kind, provider, provider_id, server_id, first_seen, last_seen, due_at, action, .. } = orphan;
    let word = match kind {
        OrphanKind::Unowned => "Orphan",
        OrphanKind::Missing => "Missing",
    };
    let owner = orphan.app_server_id.map(|id| {
        let name = format!("App server {id}");
        let link = orphan.instance_id.map(|instance| paths::app_server(instance, id));
        view! { <span class="apart"><a href=link>{name}</a></span> }
    });
    view! {
        <li>
            <div class="grow">
                <span class="label busy">{word}</span>
                " "
                <span class="mono">{provider_id}</span>
                {owner}
                <div class="fine">
                    {provider.as_str().to_owned()} ": server " {server_id.to_string()} "; found "
                    {move || words::ago(first_seen, now.get())} ", last " {move || words::ago(last_seen, now.get())} "."
                </div>
                <div class="fine">"Due " {move || words::machine::until(due_at, now.get())} ": " {action} "."</div>
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
