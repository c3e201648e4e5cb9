//! The page's one picture: visitors, what serves them now, and what comes next.

use leptos::prelude::*;
use shared_types::app_server::{Possible, can_activate};
use shared_types::{AppServerStatus, AppServerSummary, Instance};
use std::sync::Arc;

use super::launch::{Launch, LaunchButton};
use super::status_label::{StatusDot, StatusLabel};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// Both lanes.
#[component]
pub fn Lanes(
    /// Whose.
    instance: Memo<Arc<Instance>>,
    /// What launches.
    launch: Launch,
    /// Asked to open the dialog for this app server.
    on_activate: Callback<AppServerSummary>,
) -> impl IntoView {
    let active = Memo::new(move |_| instance.with(|instance| instance.summary.active_appserver.clone()));
    let next = Memo::new(move |_| instance.with(|instance| instance.summary.newer().cloned()));
    view! {
        <section class="lanes" aria-label="Traffic">
            <div class="visitors" class:served=move || active.with(Option::is_some)>
                <Icon shape=Shape::People/>
                <span>"visitors"</span>
            </div>
            {move || match active.get() {
                Some(active) => view! { <Serving instance active on_activate/> }.into_any(),
                None => view! { <NothingServes/> }.into_any(),
            }}
            <div class="swap">
                <Icon shape=Shape::Swap/>
            </div>
            {move || match next.get() {
                Some(next) => view! { <Next next on_activate/> }.into_any(),
                None => view! { <NothingNext launch/> }.into_any(),
            }}
        </section>
    }
}

#[component]
fn Serving(
    instance: Memo<Arc<Instance>>,
    active: AppServerSummary,
    on_activate: Callback<AppServerSummary>,
) -> impl IntoView {
    let (id, instance_id) = (active.id, active.instance_id);
    let now = clock::now();
    let activations = state().data.activations(instance_id);
    let whole = state().data.app_server(id);
    let since = move || {
        let activations = activations.get();
        let last = activations.here()?.iter().find(|activation| activation.app_server_id == id)?.activated_at;
        let day = last.with_timezone(&chrono::Local).format("%-d %b %H:%M");
        Some(format!("since {day}, {}", words::span(now.get() - last)))
    };
    let release = move || {
        let whole = whole.get();
        let release = whole.here()?.configuration.get("openedx_release")?.as_str()?.to_owned();
        (!release.is_empty()).then_some(release)
    };
    let commit = move || whole.get().here().and_then(|whole| pinned_commit(whole)).map(|commit| {
        view! {
            " · "
            <span class="mono">{words::short_commit(&commit).to_owned()}</span>
        }
    });
    let fallback = move || {
        instance.with(|instance| {
            let id = instance.fallback_app_server_id?;
            instance.appservers.iter().find(|one| one.id == id).cloned()
        })
    };
    view! {
        <article class="card lane serving" aria-label="Now serving">
            <h3>"NOW SERVING"</h3>
            <div class="who">
                <StatusDot status=active.status/>
                <b>{active.name.clone()}</b>
                <StatusLabel status=active.status words="Active"/>
            </div>
            <span class="fine">
                {since} {move || release().map(|release| format!(" · {release}"))} {commit}
            </span>
            {move || fallback().map(|fallback| {
                let name = fallback.name.clone();
                view! {
                    <div class="actions">
                        <button type="button" on:click=move |_| on_activate.run(fallback.clone())>
                            <Icon shape=Shape::Undo/>
                            "Roll back to "
                            {name}
                        </button>
                    </div>
                }
            })}
        </article>
    }
}

/// The commit of edx-platform that an app server was built from, once it is known.
fn pinned_commit(app_server: &shared_types::AppServer) -> Option<String> {
    app_server.pins.first().and_then(|pin| pin.commit.clone())
}

#[component]
fn NothingServes() -> impl IntoView {
    view! {
        <article class="card lane vacant" aria-label="Now serving">
            <h3>"NOW SERVING"</h3>
            <div class="who">
                <b>"No active app server"</b>
            </div>
            <p>"Visitors see a page that says so, until an app server is activated."</p>
        </article>
    }
}

#[component]
fn NothingNext(launch: Launch) -> impl IntoView {
    view! {
        <article class="card lane vacant" aria-label="Next">
            <h3>"NEXT"</h3>
            <p>"Nothing newer. Launch an app server to apply changed settings or a newer release; the active one keeps serving."</p>
            <div class="actions">
                <LaunchButton launch/>
            </div>
        </article>
    }
}

#[component]
fn Next(next: AppServerSummary, on_activate: Callback<AppServerSummary>) -> impl IntoView {
    let possible = can_activate(next.status, next.serving);
    let target = next.clone();
    view! {
        <article class="card lane" aria-label="Next">
            <h3>"NEXT"</h3>
            <div class="who">
                <StatusDot status=next.status/>
                <b>{next.name.clone()}</b>
                <StatusLabel status=next.status/>
            </div>
            <NextWords next/>
            <div class="actions">
                <ActivateButton possible on_click=Callback::new(move |()| on_activate.run(target.clone()))/>
            </div>
        </article>
    }
}

#[component]
fn NextWords(next: AppServerSummary) -> impl IntoView {
    let now = clock::now();
    match next.status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => {
            let share = next.progress.share();
            let created = next.created;
            let left = move || words::estimate_left(created, now.get(), share).map(|left| format!(" · {left}"));
            let fine = progress_words(&next);
            view! {
                <ProgressBar share/>
                <span class="fine">{fine} {left}</span>
            }
            .into_any()
        }
        AppServerStatus::Running => {
            let modified = next.modified;
            let ago = move || words::ago(modified, now.get());
            view! { <span class="fine">"Built by " {next.requested_by} ", ready " {ago}</span> }.into_any()
        }
        AppServerStatus::Failed | AppServerStatus::Error | AppServerStatus::Terminated | AppServerStatus::Stopped => {
            view! { <p>{next.failure.unwrap_or(next.status_description)}</p> }.into_any()
        }
    }
}

/// What a build does right now.
pub fn progress_words(app_server: &AppServerSummary) -> String {
    let progress = &app_server.progress;
    if let Some(ahead) = progress.queued_ahead {
        return format!("queued, {ahead} ahead");
    }
    let mut parts = Vec::new();
    if progress.tasks_total > 0 {
        parts.push(format!("task {} of {}", progress.tasks_done, progress.tasks_total));
    }
    match (&progress.task, progress.step) {
        (Some(task), _) => parts.push(task.clone()),
        (None, Some(step)) => parts.push(step.name().to_owned()),
        (None, None) => parts.push(app_server.status_description.clone()),
    }
    parts.join(" · ")
}

/// How far a build is.
#[component]
pub fn ProgressBar(
    /// 0 to 1.
    share: f64,
) -> impl IntoView {
    let percent = format!("{:.0}", share * 100.0);
    view! {
        <div
            class="progress"
            role="progressbar"
            aria-label="Build"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=percent.clone()
        >
            <i style:width=format!("{percent}%")></i>
        </div>
    }
}

/// «Activate this app server», or why it cannot be.
#[component]
pub fn ActivateButton(
    /// Whether it can.
    possible: Possible,
    /// Asked to.
    on_click: Callback<()>,
) -> impl IntoView {
    let why = match possible {
        Possible::Yes => None,
        Possible::No(why) => Some(why),
    };
    view! {
        <button
            class="primary"
            type="button"
            title=why
            aria-description=why
            aria-disabled=why.is_some().to_string()
            on:click=move |_| {
                if why.is_none() {
                    on_click.run(());
                }
            }
        >
            <Icon shape=Shape::Arrow/>
            "Activate this app server"
        </button>
    }
}
