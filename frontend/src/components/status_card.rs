//! The selected app server: its status, the steps of its build, its machine, and what can be done with it.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::{Check, can_activate};
use shared_types::{AppServer, AppServerStatus, AppServerSummary, Serving};
use std::sync::Arc;

use super::lanes::ActivateButton;
use super::status_label::StatusLabel;
use super::steps::Steps;
use crate::api;
use crate::state::data::Key;
use crate::state::{clock, state};
use crate::ui::{Icon, Shape};
use crate::words;

/// The card.
#[component]
pub fn StatusCard(
    /// Which app server.
    app_server: Memo<Arc<AppServer>>,
    /// Asked to open the dialog.
    on_activate: Callback<AppServerSummary>,
) -> impl IntoView {
    let title = Memo::new(move |_| {
        let summary = &app_server.get().summary;
        (summary.name.clone(), summary.status, summary.status_description.clone())
    });
    let steps = Memo::new(move |_| app_server.get().steps.clone());
    let progress = Memo::new(move |_| app_server.get().summary.progress.clone());
    // Drawn anew only when one of these changes, not with every task: what a person selects to copy stays selected.
    let facts = Memo::new(move |_| {
        let whole = app_server.get();
        (whole.summary.serving, whole.server.clone(), whole.pins.clone(), whole.checks.clone())
    });
    view! {
        <details class="card" open>
            <summary>
                <Icon shape=Shape::Chevron/>
                {move || {
                    let (name, status, description) = title.get();
                    view! {
                        <h2>{name}</h2>
                        <StatusLabel status/>
                        <span class="fine">{description}</span>
                    }
                }}
            </summary>
            <div class="body">
                <Steps steps progress/>
                {move || {
                    let _changed = facts.get();
                    view! { <Facts app_server=app_server.get_untracked()/> }
                }}
                <Actions app_server on_activate/>
            </div>
        </details>
    }
}

#[component]
fn Facts(app_server: Arc<AppServer>) -> impl IntoView {
    let now = clock::now();
    let summary = &app_server.summary;
    let created = summary.created;
    let when = created.with_timezone(&chrono::Local).format("%-d %b %Y %H:%M").to_string();
    let reason = summary.reason.as_ref().map(|reason| format!(", «{reason}»"));
    let server = &app_server.server;
    let ip = server.public_ip.clone();
    let pins = app_server.pins.iter().map(|pin| {
        let commit = pin.commit.as_deref().map(|commit| format!(" → {}", words::short_commit(commit)));
        view! {
            <dt>{pin.name.clone()}</dt>
            <dd class="mono">{pin.version.clone()} {commit}</dd>
        }
    });
    let checks = app_server.checks.items.clone();
    view! {
        <dl>
            <dt>"Active"</dt>
            <dd>{active_words(summary.serving)}</dd>
            <dt>"Launched"</dt>
            <dd>
                {when} " by " {summary.requested_by.clone()} {reason}
                " "
                <span class="fine">{move || words::ago(created, now.get())}</span>
            </dd>
            <dt>"VM"</dt>
            <dd class="mono">{server.name.clone()}</dd>
            <dt>"VM status"</dt>
            <dd>
                {server.status_name.clone()}
                " "
                <span class="fine">{server.status_description.clone()}</span>
            </dd>
            <dt>"VM IP address"</dt>
            <dd class="mono">
                {match ip {
                    Some(ip) => {
                        view! { <a href=format!("http://{ip}/") target="_blank" rel="noreferrer">{ip.clone()}</a> }
                            .into_any()
                    }
                    None => "–".into_any(),
                }}
            </dd>
            {pins.collect_view()}
            {(!checks.is_empty()).then(|| view! {
                <dt>"Checks"</dt>
                <dd>
                    <CheckList checks/>
                </dd>
            })}
        </dl>
    }
}

const fn active_words(serving: Serving) -> &'static str {
    match serving {
        Serving::Active => "Yes",
        Serving::Idle => "No",
        Serving::Draining => "No; requests under way end here",
        Serving::Fallback => "No; it is the one to go back to",
    }
}

/// What the application answered, a line a question.
#[component]
pub fn CheckList(
    /// The answers.
    checks: Vec<Check>,
) -> impl IntoView {
    let lines = checks.into_iter().map(|check| {
        let (class, shape, word) = if check.is_ok {
            ("good", Shape::Check, "answers")
        } else {
            ("bad", Shape::Cross, "does not answer as it should")
        };
        view! {
            <li class=class>
                <Icon shape/>
                {question_name(&check.name)}
                " "
                {word}
                <span class="fine">{check.detail}</span>
            </li>
        }
    });
    view! { <ul class="checks">{lines.collect_view()}</ul> }
}

fn question_name(name: &str) -> String {
    match name {
        "lms" => "LMS".to_owned(),
        "studio" => "Studio".to_owned(),
        other => other.to_owned(),
    }
}

#[component]
fn Actions(app_server: Memo<Arc<AppServer>>, on_activate: Callback<AppServerSummary>) -> impl IntoView {
    let possible = Memo::new(move |_| {
        let summary = &app_server.get().summary;
        can_activate(summary.status, summary.serving)
    });
    let runs = Memo::new(move |_| app_server.get().summary.status == AppServerStatus::Running);
    let activate = Callback::new(move |()| on_activate.run(app_server.get_untracked().summary.clone()));
    view! {
        <div class="actions-row">
            <ActivateButton possible on_click=activate/>
            <Show when=move || runs.get()>
                <CheckButton app_server/>
            </Show>
        </div>
    }
}

#[component]
fn CheckButton(app_server: Memo<Arc<AppServer>>) -> impl IntoView {
    let state = state();
    let is_busy = RwSignal::new(false);
    let check = move |_| {
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        let (id, name) = app_server.with_untracked(|one| (one.summary.id, one.summary.name.clone()));
        spawn_local(async move {
            match api::app_servers::check(id).await {
                Ok(checks) if checks.passed() => state.toasts.success(format!("{name} answers as it should.")),
                Ok(_) => state.toasts.error(format!("{name} does not answer as it should; its checks say why.")),
                Err(error) => state.failed("Checking failed", &error),
            }
            is_busy.try_set(false);
            state.data.refresh(Key::AppServer(id));
        });
    };
    view! {
        <button type="button" aria-busy=move || is_busy.get().to_string() disabled=move || is_busy.get() on:click=check>
            <Icon shape=Shape::Refresh is_spinning=is_busy/>
            "Check now"
        </button>
    }
}
