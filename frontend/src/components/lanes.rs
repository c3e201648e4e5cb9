//! The two lanes of an instance's traffic: the app server that serves visitors, and the next one.

use chrono::{DateTime, Local, Utc};
use leptos::prelude::*;
use shared_types::app_server::{BuildStepKind, Possible, can_activate};
use shared_types::{AppServerStatus, AppServerSummary, HealthState, Instance};
use std::sync::Arc;

use super::actions::{ActivateLaterButton, StopButton, Stopping};
use super::health_label::HealthLabel;
use super::launch::{Launch, LaunchButton};
use super::possible::PossibleButton;
use super::rolled_back::{RollBackWords, is_rolled_back_from, rolled_back_from};
use super::status_label::{StatusDot, StatusLabel, serving_word};
use super::switch::{RollBack, way_back};
use super::verb::{Ask, Verb};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

#[component]
pub fn Lanes(
    instance: Memo<Arc<Instance>>,
    launch: Launch,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let active = Memo::new(move |_| instance.with(|instance| instance.summary.active_appserver.clone()));
    let next = Memo::new(move |_| instance.with(|instance| instance.next_app_server().cloned()));
    let has_active = Memo::new(move |_| active.with(Option::is_some));
    let health = Memo::new(move |_| instance.with(|instance| instance.summary.health_state()));
    view! {
        <section class="lanes" aria-label="Traffic">
            <div class="visitors" class:served=move || health.get() == Some(HealthState::Ok)>
                <Icon shape=Shape::People/>
                <span>"visitors"</span>
            </div>
            {one_at_a_time(
                active,
                move |active| view! { <Serving instance active ask/> }.into_any(),
                move || view! { <NothingServes launch/> }.into_any(),
            )}
            <div class="swap">
                <Icon shape=Shape::Swap/>
            </div>
            {one_at_a_time(
                next,
                move |next| view! { <Next instance next launch ask/> }.into_any(),
                move || view! { <NothingNext launch has_active/> }.into_any(),
            )}
        </section>
    }
}

/// Draws one app server, or its absence, and redraws only when it is replaced by another one. Changes of the same app
/// server update the drawn view through its memo, so that a focused button keeps the focus.
fn one_at_a_time(
    server: Memo<Option<AppServerSummary>>,
    draw: impl Fn(Memo<AppServerSummary>) -> AnyView + Send + 'static,
    draw_none: impl Fn() -> AnyView + Send + 'static,
) -> impl IntoView {
    let id = Memo::new(move |_| server.with(|server| server.as_ref().map(|server| server.id)));
    move || {
        // Read the value, too: a memo that is tracked but never read is not notified of changes.
        let _another = id.get();
        match server.get_untracked() {
            None => draw_none(),
            Some(first) => draw(Memo::new(move |_| {
                // Keeps the old value: the enclosing view is about to draw the other app server.
                server.get().filter(|server| server.id == first.id).unwrap_or_else(|| first.clone())
            })),
        }
    }
}

#[component]
fn Serving(instance: Memo<Arc<Instance>>, active: Memo<AppServerSummary>, ask: Ask) -> impl IntoView {
    let (id, instance_id) = active.with_untracked(|active| (active.id, active.instance_id));
    let now = clock::now();
    let activations = state().data.activations(instance_id);
    let whole = state().data.app_server(id);
    let since = move || {
        let activations = activations.get();
        let last = activations.here()?.iter().find(|activation| activation.app_server_id == id)?.activated_at;
        let since = words::clock_in_zone(last, now.get(), &Local);
        Some(format!("active since {since}, {}", words::span(now.get() - last)))
    };
    let release = move || {
        let whole = whole.get();
        words::headline(whole.here()?)
    };
    let commit = move || {
        let commit = whole.get().here().and_then(|whole| words::code_commit(whole))?;
        Some(words::short_commit(&commit).to_owned())
    };
    let facts = move || [since(), release(), commit()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let back = Memo::new(move |_| instance.with(|instance| way_back(instance)));
    let is_hidden = Memo::new(move |_| instance.with(|instance| instance.maintenance.is_some()));
    let is_held = Memo::new(move |_| instance.with(|instance| instance.hold.is_some()));
    let health = Memo::new(move |_| instance.with(|instance| instance.summary.health_state()));
    let reason = Memo::new(move |_| {
        instance.with(|instance| words::health::reason(instance.summary.health.as_ref()?, now.get(), &Local))
    });
    // One string: a class set separately would be lost when the state changes.
    let class = move || format!("card lane serving {}", health.get().map_or("", HealthState::as_str));
    view! {
        <article class=class aria-label="Now serving">
            <h2 class="eyebrow">"NOW SERVING"</h2>
            <div class="who">
                <b>{move || active.get().name}</b>
                <span class="label">"Active"</span>
                <HealthLabel state=health/>
                <Show when=move || is_hidden.get()>
                    <span class="label degraded">"Behind the maintenance page"</span>
                </Show>
            </div>
            {move || reason.get().map(|reason| view! { <p class="health-reason">{reason} "."</p> })}
            <span class="fine">{facts}</span>
            <div class="actions">
                {move || back.get().map(|back| view! { <RollBack back ask/> })}
                <Show when=move || !is_held.get()>
                    <PossibleButton
                        class="quiet"
                        hint="Stops automatic activation until you release the hold. Builds continue."
                        shape=Shape::Lock
                        label="Hold"
                        on_click=Callback::new(move |()| ask.run(Verb::Hold))
                    />
                </Show>
                <PossibleButton
                    class="quiet"
                    hint="Visitors get a text from you in place of the site."
                    shape=Shape::Warning
                    label="Maintenance page…"
                    on_click=Callback::new(move |()| ask.run(Verb::Maintenance))
                />
            </div>
        </article>
    }
}

#[component]
fn NothingServes(launch: Launch) -> impl IntoView {
    let words = move || {
        if launch.is_possible() {
            "Visitors see a placeholder page until you activate an app server."
        } else {
            "Archived: its domains are not served."
        }
    };
    view! {
        <article class="card lane vacant" aria-label="Now serving">
            <h2 class="eyebrow">"NOW SERVING"</h2>
            <div class="who">
                <b>"No active app server"</b>
            </div>
            <p>{words}</p>
        </article>
    }
}

#[component]
fn NothingNext(launch: Launch, has_active: Memo<bool>) -> impl IntoView {
    let words = move || {
        if !launch.is_possible() {
            "Launches are disabled until the instance is restored."
        } else if has_active.get() {
            "No newer app server. Launch one to deploy new settings or a new release; the active one keeps serving."
        } else {
            "Launch an app server. It is built on its own machine. When it is ready, activate it."
        }
    };
    view! {
        <article class="card lane vacant" aria-label="Next">
            <h2 class="eyebrow">"NEXT"</h2>
            <p>{words}</p>
            <div class="actions">
                <LaunchButton launch/>
            </div>
        </article>
    }
}

#[component]
fn Next(instance: Memo<Arc<Instance>>, next: Memo<AppServerSummary>, launch: Launch, ask: Ask) -> impl IntoView {
    let status = Memo::new(move |_| next.get().status);
    let activations = state().data.activations(next.with_untracked(|next| next.instance_id));
    let is_rolled_back = Memo::new(move |_| {
        let active = instance.with(|instance| instance.summary.active_appserver.as_ref().map(|active| active.id));
        let history = activations.get();
        next.with(|next| is_rolled_back_from(next, active, history.here().map(|history| history.as_slice())))
    });
    let roll_back = Memo::new(move |_| {
        let history = activations.get();
        rolled_back_from(history.here()?, next.with(|next| next.id)).cloned()
    });
    view! {
        <article class="card lane" aria-label=move || if is_rolled_back.get() { "Rolled back from" } else { "Next" }>
            <h2 class="eyebrow">{move || if is_rolled_back.get() { "ROLLED BACK FROM" } else { "NEXT" }}</h2>
            <div class="who">
                {move || view! { <StatusDot status=status.get()/> }}
                <b>{move || next.get().name}</b>
                {move || view! { <StatusLabel status=status.get()/> }}
                <Show when=move || !is_rolled_back.get()>
                    <Traffic app_server=next/>
                </Show>
            </div>
            {move || match roll_back.get() {
                Some(activation) => view! { <p><RollBackWords name=next.get_untracked().name activation/></p> }.into_any(),
                None => view! { <NextWords next status=status.get()/> }.into_any(),
            }}
            <Stopping summary=next/>
            {move || if is_rolled_back.get() {
                view! { <WaysForward next launch ask/> }.into_any()
            } else {
                view! { <NextActions next ask/> }.into_any()
            }}
        </article>
    }
}

/// After a rollback: the actions to launch a new app server, or to activate the rolled-back one again.
#[component]
fn WaysForward(next: Memo<AppServerSummary>, launch: Launch, ask: Ask) -> impl IntoView {
    let possible = Memo::new(move |_| next.with(|next| can_activate(next.status, next.serving)));
    view! {
        <div class="actions">
            <LaunchButton launch is_primary=true/>
            <ActivateButton
                possible
                is_again=true
                on_click=Callback::new(move |()| ask.run(Verb::Activate(next.get_untracked())))
            />
        </div>
    }
}

#[component]
fn NextActions(next: Memo<AppServerSummary>, ask: Ask) -> impl IntoView {
    let is_building = Memo::new(move |_| next.with(|next| next.status.is_building()));
    let possible = Memo::new(move |_| next.with(|next| can_activate(next.status, next.serving)));
    view! {
        <div class="actions">
            <ActivateButton
                possible
                on_click=Callback::new(move |()| ask.run(Verb::Activate(next.get_untracked())))
            />
            <ActivateLaterButton summary=next ask/>
            <Show when=move || is_building.get()>
                <StopButton summary=next ask/>
            </Show>
        </div>
    }
}

/// “Draining” or “Fallback”; empty in other states.
#[component]
fn Traffic(app_server: Memo<AppServerSummary>) -> impl IntoView {
    let word = Memo::new(move |_| app_server.with(|one| serving_word(one.serving)));
    move || word.get().map(|word| view! { <span class="label">{word}</span> })
}

#[component]
fn NextWords(next: Memo<AppServerSummary>, status: AppServerStatus) -> impl IntoView {
    let now = clock::now();
    match status {
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => {
            let share = Memo::new(move |_| next.with(|next| next.progress.share()));
            let fine = move || {
                let next = next.get();
                let left = time_left(&next, now.get());
                [Some(progress_words(&next)), left].into_iter().flatten().collect::<Vec<_>>().join(" · ")
            };
            let deadline = move || next.with(|next| deadline_words(next, now.get()));
            view! {
                <ProgressBar share/>
                <span class="fine" title=deadline>{fine}</span>
            }
            .into_any()
        }
        AppServerStatus::Running => {
            let words = move || {
                let next = next.get();
                format!("Launched by {}, ready {}", next.requested_by, words::ago(next.modified, now.get()))
            };
            view! { <span class="fine">{words}</span> }.into_any()
        }
        AppServerStatus::Failed | AppServerStatus::Error | AppServerStatus::Terminated | AppServerStatus::Stopped => {
            let words = move || {
                let next = next.get();
                next.failure.unwrap_or_else(|| words::status::of_app_server(next.status).to_owned())
            };
            view! { <p>{words}</p> }.into_any()
        }
    }
}

/// What a build is doing right now.
pub fn progress_words(app_server: &AppServerSummary) -> String {
    let progress = &app_server.progress;
    if let Some(queued) = &progress.queued {
        return queued.words();
    }
    let mut parts = Vec::new();
    if let Some(tasks) = progress.tasks_words().filter(|_| progress.step == Some(BuildStepKind::Playbooks)) {
        parts.push(format!("task {tasks}"));
    }
    match (&progress.task, progress.step) {
        (Some(task), _) => parts.push(task.clone()),
        (None, Some(step)) => parts.push(step.name().to_owned()),
        (None, None) => parts.push(words::status::of_app_server(app_server.status).to_owned()),
    }
    parts.join(" · ")
}

/// The estimated time left: by earlier builds, else by the progress of this one. None while it is waiting.
pub fn time_left(app_server: &AppServerSummary, now: DateTime<Utc>) -> Option<String> {
    let progress = &app_server.progress;
    if !app_server.status.is_building() || progress.queued.is_some() {
        return None;
    }
    let by_share = || words::estimate_left(app_server.created, now, progress.share());
    progress.estimated_end.map(|end| words::left(end, now)).or_else(by_share)
}

/// When the step in progress times out.
pub fn deadline_words(app_server: &AppServerSummary, now: DateTime<Utc>) -> Option<String> {
    let deadline = app_server.progress.deadline?;
    Some(format!("Times out at {}", words::clock_in_zone(deadline, now, &Local)))
}

/// The progress of a build.
#[component]
pub fn ProgressBar(
    /// From 0 to 1.
    #[prop(into)]
    share: Signal<f64>,
) -> impl IntoView {
    let percent = move || words::whole_percent(share.get()).to_string();
    view! {
        <div
            class="progress"
            role="progressbar"
            aria-label="Build"
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=percent
        >
            <i style:width=move || format!("{}%", percent())></i>
        </div>
    }
}

/// “Activate this app server”, or why it cannot be. Never the primary button if the app server was rolled back from.
#[component]
pub fn ActivateButton(
    /// Whether it can be activated now.
    #[prop(into)]
    possible: Signal<Possible>,
    /// Whether it was rolled back from.
    #[prop(optional)]
    is_again: bool,
    /// Called when the button is pressed.
    on_click: Callback<()>,
) -> impl IntoView {
    let (label, class) =
        if is_again { ("Activate again…", "quiet") } else { ("Activate this app server", "primary") };
    view! { <PossibleButton possible shape=Shape::Arrow label class on_click/> }
}
