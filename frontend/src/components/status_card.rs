//! The selected app server: its status, build steps, machine and actions.

use leptos::prelude::*;
use shared_types::{AppServer, AppServerStatus, AppServerSummary, HealthState, Instance, Serving};
use std::sync::Arc;

use super::actions::Actions;
use super::check_list::CheckList;
use super::health_label::HealthLabel;
use super::ssh_line::SshLine;
use super::status_label::{StatusLabel, traffic_word};
use super::steps::Steps;
use super::verb::Ask;
use crate::state::clock;
use crate::ui::{Icon, Shape};
use crate::words;

#[component]
pub fn StatusCard(
    instance: Memo<Arc<Instance>>,
    app_server: Memo<Arc<AppServer>>,
    /// The name of the app server that this one retries, if known.
    before: Memo<Option<String>>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let active = Memo::new(move |_| {
        instance.with(|instance| instance.summary.active_appserver.as_ref().map(|active| active.id))
    });
    let title = Memo::new(move |_| {
        let summary = &app_server.get().summary;
        (summary.name.clone(), summary.status, description(summary), traffic_word(summary, active.get()))
    });
    let steps = Memo::new(move |_| app_server.get().steps.clone());
    let progress = Memo::new(move |_| app_server.get().summary.progress.clone());
    // A memo, so that the text is redrawn only when one of these changes: redrawing loses the user's text selection.
    let facts = Memo::new(move |_| {
        let whole = app_server.get();
        let one = &whole.summary;
        let machine = (whole.server.clone(), one.has_machine, one.is_pinned, one.terminates_at);
        (one.serving, one.status, machine, whole.pins.clone(), whole.checks.clone(), before.get(), whole.health.clone())
    });
    let health = Memo::new(move |_| app_server.with(|whole| whole.health.as_ref().map(|health| health.state)));
    view! {
        <details class="card" open>
            <summary>
                <Icon shape=Shape::Chevron/>
                {move || {
                    let (name, status, description, traffic) = title.get();
                    view! {
                        <h2>{name}</h2>
                        <StatusLabel status/>
                        {traffic.map(|word| view! { <span class="label">{word}</span> })}
                        <HealthLabel state=health/>
                        <span class="fine">{description}</span>
                    }
                }}
            </summary>
            <div class="body">
                <Steps steps progress/>
                {move || {
                    let _changed = facts.get();
                    view! { <Facts app_server=app_server.get_untracked() before=before.get_untracked()/> }
                }}
                <Actions instance app_server ask/>
            </div>
        </details>
    }
}

#[component]
fn Facts(app_server: Arc<AppServer>, before: Option<String>) -> impl IntoView {
    let now = clock::now();
    let summary = &app_server.summary;
    let created = summary.created;
    let when = created.with_timezone(&chrono::Local).format("%-d %b %Y %H:%M").to_string();
    let reason = summary.reason.as_ref().map(|reason| format!(", “{reason}”"));
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
    let is_current = is_current(&app_server);
    let found_again_at = app_server.health.as_ref().and_then(|health| health.checked_at);
    let has_machine = summary.has_machine;
    view! {
        <dl>
            <dt>"Active"</dt>
            <dd>{active_words(summary.serving)}</dd>
            <dt>"Launched"</dt>
            <dd>
                {when} " by " {summary.origin(before.as_deref())} {reason}
                " "
                <span class="fine">{move || words::ago(created, now.get())}</span>
            </dd>
            <dt>"Machine"</dt>
            <dd class="mono">{server.name.clone()}</dd>
            <dt>"Machine status"</dt>
            <dd>
                {server.status_name.clone()}
                " "
                <span class="fine">{words::status::of_machine(server.status)}</span>
            </dd>
            <dt>"IP address"</dt>
            <dd class="mono">
                {match ip {
                    // No link: without the machine, no host or another one may have this address.
                    Some(ip) if !has_machine => ip.into_any(),
                    Some(ip) => {
                        view! { <a href=format!("http://{ip}/") target="_blank" rel="noreferrer">{ip.clone()}</a> }
                            .into_any()
                    }
                    None => "–".into_any(),
                }}
            </dd>
            {server.ssh.clone().map(|login| view! {
                <dt>"SSH"</dt>
                <dd><SshLine login/></dd>
            })}
            <Stay app_server=Arc::clone(&app_server)/>
            {pins.collect_view()}
            {(!checks.is_empty()).then(|| view! {
                <dt>"Checks"</dt>
                <dd>
                    <CheckList checks is_current found_again_at/>
                </dd>
            })}
        </dl>
    }
}

/// What the status means, and for a stopped build who stopped it.
fn description(summary: &AppServerSummary) -> String {
    match (summary.status, &summary.stop_requested_by) {
        (AppServerStatus::Stopped, Some(who)) => format!("Build stopped by {who}"),
        (
            AppServerStatus::New
            | AppServerStatus::Waiting
            | AppServerStatus::Configuring
            | AppServerStatus::Running
            | AppServerStatus::Failed
            | AppServerStatus::Error
            | AppServerStatus::Terminated
            | AppServerStatus::Stopped,
            _,
        ) => words::status::of_app_server(summary.status).to_owned(),
    }
}

/// How long its machine is kept.
#[component]
fn Stay(app_server: Arc<AppServer>) -> impl IntoView {
    let now = clock::now();
    let summary = &app_server.summary;
    let words = match (summary.terminates_at, summary.is_pinned) {
        _ if summary.is_machine_going() => view! { "Being deleted." }.into_any(),
        _ if !summary.has_machine => view! { "Deleted." }.into_any(),
        (_, true) => view! { "Pinned: it is kept until it is unpinned or terminated." }.into_any(),
        (Some(end), false) => {
            let words = move || match end - now.get() {
                left if left.num_seconds() <= 0 => "Due for deletion.".to_owned(),
                left => format!("Will be deleted in {} unless pinned.", words::span_closely(left)),
            };
            view! { {words} }.into_any()
        }
        (None, false) => return None,
    };
    // Nothing to show if no machine was ever created.
    let was_there = summary.has_machine || app_server.server.provider_id.is_some();
    was_there.then(|| {
        view! {
            <dt>"Retention"</dt>
            <dd>{words}</dd>
        }
    })
}

const fn active_words(serving: Serving) -> &'static str {
    match serving {
        Serving::Active => "Yes",
        Serving::Idle => "No",
        Serving::Draining => "No (draining)",
        Serving::Fallback => "No (kept as the fallback)",
    }
}

/// Whether the stored results are current. Only active app servers are checked periodically.
fn is_current(app_server: &AppServer) -> bool {
    let is_known = |state: HealthState| state != HealthState::Unknown;
    app_server.summary.serving == Serving::Active
        && app_server.health.as_ref().is_some_and(|health| is_known(health.state))
}
