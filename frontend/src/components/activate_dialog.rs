//! The dialog before the traffic moves: from what to what, what differs, whether it answers, why.

use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::app_server::Checks;
use shared_types::diff::settings_diff;
use shared_types::operations::ActivateAppServer;
use shared_types::{AppServer, AppServerSummary, Instance};
use std::sync::Arc;

use super::diff_view::DiffView;
use super::status_card::CheckList;
use crate::api;
use crate::state::data::Key;
use crate::state::{Fetched, clock, state};
use crate::ui::{Dialog, Icon, Loading, Shape};
use crate::words;

/// The dialog for one app server.
#[component]
pub fn ActivateDialog(
    /// Its instance, as it was when the dialog was opened: whatever is active now is what will be replaced, or nothing is.
    instance: Arc<Instance>,
    /// Which.
    target: AppServerSummary,
    /// Asked to go away.
    on_close: Callback<()>,
) -> impl IntoView {
    let active = instance.summary.active_appserver.clone();
    let checks = RwSignal::new(None::<api::Result<Checks>>);
    let is_busy = RwSignal::new(false);
    let why_not = RwSignal::new(None::<String>);
    let reason = NodeRef::<html::Input>::new();
    let id = target.id;
    let check = move || {
        checks.set(None);
        spawn_local(async move {
            checks.try_set(Some(api::app_servers::check(id).await));
        });
    };
    check();
    let passed = Memo::new(move |_| checks.with(|checks| matches!(checks, Some(Ok(checks)) if checks.passed())));
    let confirm = confirm(target.clone(), active.clone(), is_busy, why_not, reason, on_close);
    let name = target.name.clone();
    let intro = intro(&instance.summary.domain, active.as_ref());
    view! {
        <Dialog label=format!("Activate {name}?") is_busy on_close>
            <header>
                <h1>{format!("Activate {name}?")}</h1>
                <p>{intro}</p>
            </header>
            <div class="body">
                <FromTo active=active.clone() target=target.clone()/>
                {active.clone().map(|active| view! { <Difference active target=target.clone()/> })}
                <div aria-live="polite">
                    <CheckResult checks again=Callback::new(move |()| check())/>
                </div>
                <label class="ask">
                    "Reason"
                    <input node_ref=reason maxlength="500" placeholder="For the history; may be left blank"/>
                </label>
                <div role="alert" class="why" hidden=move || why_not.get().is_none()>{move || why_not.get()}</div>
                {active.map(|active| view! {
                    <span class="fine">
                        "Going back: " {active.name} " keeps running; «Roll back» moves the visitors to it again."
                    </span>
                })}
            </div>
            <Buttons name passed is_busy confirm on_close/>
        </Dialog>
    }
}

#[component]
fn Buttons(
    name: String,
    passed: Memo<bool>,
    is_busy: RwSignal<bool>,
    confirm: Callback<()>,
    on_close: Callback<()>,
) -> impl IntoView {
    let click = move |_| {
        if passed.get_untracked() && !is_busy.get_untracked() {
            confirm.run(());
        }
    };
    view! {
        <footer>
            <button type="button" on:click=move |_| on_close.run(())>"Cancel"</button>
            <button
                class="primary"
                type="button"
                aria-disabled=move || (!passed.get() || is_busy.get()).to_string()
                aria-busy=move || is_busy.get().to_string()
                title=move || (!passed.get()).then_some("It must answer its checks first.")
                on:click=click
            >
                {move || is_busy.get().then(|| view! { <Icon shape=Shape::Refresh is_spinning=true/> })}
                "Activate "
                {name}
            </button>
        </footer>
    }
}

fn intro(domain: &str, active: Option<&AppServerSummary>) -> String {
    match active {
        Some(active) => {
            format!("Visitors of {domain} move to it at once; requests under way finish on {}.", active.name)
        }
        None => format!("Visitors of {domain} are served by it at once; until now nothing serves them."),
    }
}

/// Moves the traffic, and says how it went.
fn confirm(
    target: AppServerSummary,
    active: Option<AppServerSummary>,
    is_busy: RwSignal<bool>,
    why_not: RwSignal<Option<String>>,
    reason: NodeRef<html::Input>,
    on_close: Callback<()>,
) -> Callback<()> {
    let state = state();
    Callback::new(move |()| {
        let reason = reason.get_untracked().map(|field| field.value().trim().to_owned());
        let body = ActivateAppServer {
            expected_active: Some(active.as_ref().map(|active| active.id)),
            reason: reason.filter(|reason| !reason.is_empty()),
            ..ActivateAppServer::default()
        };
        let (id, instance) = (target.id, target.instance_id);
        is_busy.set(true);
        why_not.set(None);
        spawn_local(async move {
            let answer = api::app_servers::activate(id, &body).await;
            is_busy.try_set(false);
            match answer {
                Ok(result) => {
                    let then = if result.is_applied {
                        "The gateway sends it the visitors already; a DNS change may take a while."
                    } else {
                        "The gateway will send it the visitors in a moment."
                    };
                    state.toasts.success(format!("{} is now active. {then}", result.app_server.name));
                    on_close.run(());
                }
                Err(error) if state.session.ends_by(&error) => on_close.run(()),
                Err(error) => {
                    why_not.try_set(Some(error.to_string()));
                }
            }
            for key in [Key::Instance(instance), Key::Activations(instance), Key::AppServer(id)] {
                state.data.refresh(key);
            }
        });
    })
}

#[component]
fn FromTo(active: Option<AppServerSummary>, target: AppServerSummary) -> impl IntoView {
    let now = clock::now();
    let built = move |server: &AppServerSummary| {
        let created = server.created;
        move || format!("launched {}", words::ago(created, now.get()))
    };
    view! {
        <div class="fromto">
            <div class="card">
                <h2 class="eyebrow">"NOW"</h2>
                {match &active {
                    Some(active) => view! {
                        <b>{active.name.clone()}</b>
                        <div class="fine">{built(active)}</div>
                    }
                    .into_any(),
                    None => view! {
                        <b>"Nothing"</b>
                        <div class="fine">"no active app server"</div>
                    }
                    .into_any(),
                }}
            </div>
            <Icon shape=Shape::Arrow/>
            <div class="card then">
                <h2 class="eyebrow">"THEN"</h2>
                <b>{target.name.clone()}</b>
                <div class="fine">{built(&target)}</div>
            </div>
        </div>
    }
}

#[component]
fn Difference(active: AppServerSummary, target: AppServerSummary) -> impl IntoView {
    let data = state().data;
    let (from, to) = (data.app_server(active.id), data.app_server(target.id));
    move || match (from.get(), to.get()) {
        (Fetched::Here(from), Fetched::Here(to)) => {
            let changes = configuration_diff(&from, &to);
            view! { <DiffView changes/> }.into_any()
        }
        (Fetched::Failed(error), _) | (_, Fetched::Failed(error)) => {
            view! { <p class="fine">"What differs cannot be shown: " {error.to_string()}</p> }.into_any()
        }
        (Fetched::Waiting, _) | (_, Fetched::Waiting) => view! { <Loading/> }.into_any(),
    }
}

/// The settings that differ, and the commits that the same names stood for.
fn configuration_diff(from: &AppServer, to: &AppServer) -> Vec<shared_types::diff::SettingChange> {
    let mut changes = settings_diff(&from.configuration, &to.configuration);
    for pin in &to.pins {
        let before = from.pins.iter().find(|other| other.name == pin.name).and_then(|other| other.commit.clone());
        if before != pin.commit {
            let short = |commit: &String| words::short_commit(commit).to_owned();
            changes.push(shared_types::diff::SettingChange {
                name: format!("{} commit", pin.name),
                before: before.as_ref().map(short),
                after: pin.commit.as_ref().map(short),
                is_secret: false,
            });
        }
    }
    changes
}

#[component]
fn CheckResult(checks: RwSignal<Option<api::Result<Checks>>>, again: Callback<()>) -> impl IntoView {
    let retry = move || {
        view! {
            <button type="button" on:click=move |_| again.run(())>
                <Icon shape=Shape::Refresh/>
                "Check again"
            </button>
        }
    };
    move || match checks.get() {
        None => view! { <p class="fine">"Checking whether it answers…"</p> }.into_any(),
        Some(Ok(result)) if result.passed() => view! { <CheckList checks=result.items/> }.into_any(),
        Some(Ok(result)) => view! {
            <CheckList checks=result.items/>
            <p class="why">"Cannot make an unhealthy app server active. Look at its log, or launch another one."</p>
            {retry()}
        }
        .into_any(),
        Some(Err(error)) => view! {
            <p class="why">{error.to_string()}</p>
            {retry()}
        }
        .into_any(),
    }
}
