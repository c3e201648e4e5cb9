//! The build queue: the workers, the running builds, and what the others are waiting for.

use futures::FutureExt;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::queue::{Queue, QueueEntry, QueuePause, Tier, WorkerState};
use std::sync::Arc;

use super::when_here;
use crate::api;
use crate::components::{Act, AskDialog, PossibleButton};
use crate::paths;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, Title};
use crate::words;

#[component]
pub fn QueuePage() -> impl IntoView {
    let fetched = state().data.queue();
    view! {
        <Title text="Build queue"/>
        <div class="page">{when_here(fetched, |queue| view! { <Whole queue/> }.into_any())}</div>
    }
}

#[component]
fn Whole(queue: Memo<Arc<Queue>>) -> impl IntoView {
    let pause = Memo::new(move |_| queue.with(|queue| queue.pause.clone()));
    let trouble = Memo::new(move |_| queue.with(|queue| queue.alarm().filter(|_| queue.pause.is_none())));
    let slots = Memo::new(move |_| queue.with(|queue| (queue.slots_in_use, queue.slots)));
    let is_asking = RwSignal::new(false);
    let count = move || {
        let (used, all) = slots.get();
        format!("{used} of {all} slots in use")
    };
    view! {
        <div class="head">
            <div>
                <h1>"Build queue"</h1>
                <div class="links">
                    <span>{count}</span>
                </div>
            </div>
            <div class="right">
                <Show when=move || pause.with(Option::is_none)>
                    <PossibleButton shape=Shape::Pause label="Pause…" on_click=Callback::new(move |()| is_asking.set(true))/>
                </Show>
            </div>
        </div>
        <div class="below-head">
            {move || pause.get().map(|pause| view! { <Paused pause/> })}
            {move || trouble.get().map(|words| view! {
                <div class="notice bad" role="alert">
                    <Icon shape=Shape::Warning/>
                    <span class="grow">{words}</span>
                </div>
            })}
            <div class="stack">
                <Entries title="Building now" queue pick=|queue| &queue.building nothing="No builds running."/>
                <Entries title="Waiting" queue pick=|queue| &queue.waiting nothing="Queue is empty."/>
                <Workers queue/>
            </div>
        </div>
        <Show when=move || is_asking.get()>
            <PauseDialog on_close=Callback::new(move |()| is_asking.set(false))/>
        </Show>
    }
}

#[component]
fn Paused(pause: QueuePause) -> impl IntoView {
    let state = state();
    let now = clock::now();
    let is_busy = RwSignal::new(false);
    let resume = Callback::new(move |()| {
        is_busy.set(true);
        spawn_local(async move {
            match api::queue::resume().await {
                Ok(_) => state.toasts.success("Queue resumed."),
                Err(error) => state.failed("Resuming failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::Queue);
        });
    });
    let reason = pause.reason.map(|reason| format!(", “{reason}”"));
    view! {
        <div class="notice" role="status">
            <Icon shape=Shape::Pause/>
            <span class="grow">
                <b>"Paused"</b>
                " by " {pause.by} ", " {move || words::ago(pause.at, now.get())} {reason}
                ". Running builds continue; queued builds wait."
            </span>
            <PossibleButton class="primary" shape=Shape::Play label="Resume" is_busy on_click=resume/>
        </div>
    }
}

#[component]
fn PauseDialog(on_close: Callback<()>) -> impl IntoView {
    let data = state().data;
    let act: Act = Callback::new(move |reason| {
        async move {
            let answer = api::queue::pause(reason).await;
            data.refresh(Key::Queue);
            answer.map(|_| "The queue is paused.".to_owned())
        }
        .boxed_local()
    });
    view! {
        <AskDialog
            title="Pause the queue?"
            words="Running builds continue. New launches wait until the queue is resumed."
            confirm="Pause the queue"
            act
            on_close
        />
    }
}

#[component]
fn Entries(
    title: &'static str,
    queue: Memo<Arc<Queue>>,
    pick: fn(&Queue) -> &Vec<QueueEntry>,
    nothing: &'static str,
) -> impl IntoView {
    let entries = Memo::new(move |_| queue.with(|queue| pick(queue).clone()));
    let list = move || {
        let entries = entries.get();
        if entries.is_empty() {
            return view! { <p class="body fine">{nothing}</p> }.into_any();
        }
        let rows = entries.into_iter().map(|entry| {
            let worker = queue.with_untracked(|queue| host_of(queue, &entry));
            view! { <Entry entry worker/> }
        });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label=title>
            <header>
                <h2>{title}</h2>
                <span class="fine">{move || entries.with(Vec::len)}</span>
            </header>
            {list}
        </section>
    }
}

/// The host of the worker that runs the build; for a worker that is gone, its id.
fn host_of(queue: &Queue, entry: &QueueEntry) -> Option<String> {
    let id = entry.worker.as_ref()?;
    let worker = queue.workers.iter().find(|worker| worker.id == *id);
    Some(worker.map_or_else(|| id.clone(), |worker| worker.hostname.clone()))
}

#[component]
fn Entry(entry: QueueEntry, worker: Option<String>) -> impl IntoView {
    let now = clock::now();
    let to = paths::app_server(entry.instance_id, entry.app_server_id);
    let (begun, created) = (entry.begun_at, entry.created);
    let since = move || match begun {
        Some(begun) => format!("started {}", words::ago(begun, now.get())),
        None => format!("launched {}", words::ago(created, now.get())),
    };
    let under = match (worker, entry.waits_for) {
        (_, Some(waits_for)) => waits_for,
        (Some(worker), None) => format!("on {worker}"),
        (None, None) => "waiting for another worker to take over".to_owned(),
    };
    let is_preview = entry.tier == Tier::Preview;
    view! {
        <li>
            <div class="grow">
                <a href=to>{entry.instance_name} ": " {entry.app_server_name}</a>
                {is_preview.then(|| view! { " " <span class="label">"Preview"</span> })}
                <div class="fine" title=entry.worker>{under}</div>
            </div>
            <span class="fine">{since}</span>
        </li>
    }
}

#[component]
fn Workers(queue: Memo<Arc<Queue>>) -> impl IntoView {
    let workers = Memo::new(move |_| queue.with(|queue| queue.workers.clone()));
    let list = move || {
        let workers = workers.get();
        if workers.is_empty() {
            return view! { <p class="body fine">"No workers. Start one with `ocim worker`."</p> }.into_any();
        }
        let rows = workers.into_iter().map(|worker| view! { <Worker worker/> });
        view! { <ul class="lines">{rows.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label="Workers">
            <header>
                <h2>"Workers"</h2>
                <span class="fine">{move || workers.with(Vec::len)}</span>
            </header>
            {list}
        </section>
    }
}

#[component]
fn Worker(worker: WorkerState) -> impl IntoView {
    let now = clock::now();
    let WorkerState { id, hostname, version, slots, started, seen, is_draining, trouble } = worker;
    let seen = move || format!("seen {}", words::ago(seen, now.get()));
    let slots = words::count(usize::try_from(slots).unwrap_or_default(), "slot");
    view! {
        <li>
            <div class="grow">
                <b>{hostname}</b>
                " "
                {is_draining.then(|| view! { <span class="label busy">"Draining"</span> })}
                {trouble.is_some().then(|| view! {
                    <span class="label bad">
                        <Icon shape=Shape::Cross/>
                        "Not accepting builds"
                    </span>
                })}
                <div class="fine">{slots} " · version " {version} " · up " {move || words::span(now.get() - started)} " · " {id}</div>
                {trouble.map(|trouble| view! { <div class="why">{trouble}</div> })}
            </div>
            <span class="fine">{seen}</span>
        </li>
    }
}
