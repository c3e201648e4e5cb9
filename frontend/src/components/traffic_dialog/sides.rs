//! The two app servers of a switch, and their differences.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::comparison::Diff;
use shared_types::diff::SettingChange;
use shared_types::{AppServer, AppServerSummary};

use crate::api;
use crate::api::app_servers::Against;
use crate::components::diff_view::DiffView;
use crate::state::{Fetched, clock, state};
use crate::ui::{Icon, Loading, Shape};
use crate::words;

/// Both app servers, side by side.
#[component]
pub(super) fn FromTo(
    /// The app server that has the traffic now, if any.
    active: Option<AppServerSummary>,
    /// The app server that will have it.
    target: AppServerSummary,
) -> impl IntoView {
    let now = clock::now();
    let data = state().data;
    let built = move |server: &AppServerSummary| {
        let created = server.created;
        let whole = data.app_server(server.id);
        move || {
            let release = whole.with(|whole| whole.here().and_then(|whole| words::headline(whole)));
            let launched = format!("launched {}", words::ago(created, now.get()));
            release.into_iter().chain([launched]).collect::<Vec<_>>().join(" · ")
        }
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
                        <b>"none"</b>
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

/// The differences between both app servers.
#[component]
pub(super) fn Difference(
    /// The app server that has the traffic now.
    active: AppServerSummary,
    /// The app server that will have it.
    target: AppServerSummary,
) -> impl IntoView {
    let data = state().data;
    let (from, to) = (data.app_server(active.id), data.app_server(target.id));
    let settings = RwSignal::new(None::<api::Result<Diff>>);
    spawn_local(async move {
        let diff = api::app_servers::diff(active.id, Against::AppServer(target.id)).await;
        settings.try_set(Some(diff));
    });
    move || match (settings.get(), from.get(), to.get()) {
        (Some(Ok(diff)), Fetched::Here(from), Fetched::Here(to)) => {
            let mut changes = diff.settings;
            changes.extend(commits_diff(&from, &to));
            view! { <DiffView changes/> }.into_any()
        }
        (Some(Err(error)), ..) | (_, Fetched::Failed(error), _) | (_, _, Fetched::Failed(error)) => {
            view! { <p class="fine">"What differs cannot be shown: " {error.to_string()}</p> }.into_any()
        }
        (None, ..) | (_, Fetched::Waiting, _) | (_, _, Fetched::Waiting) => view! { <Loading/> }.into_any(),
    }
}

/// The resolved commits of the same references, where they differ.
fn commits_diff(from: &AppServer, to: &AppServer) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    for pin in &to.pins {
        let before = from.pins.iter().find(|other| other.name == pin.name).and_then(|other| other.commit.clone());
        if before != pin.commit {
            let short = |commit: &String| words::short_commit(commit).to_owned();
            changes.push(SettingChange {
                name: format!("{} commit", pin.name),
                before: before.as_ref().map(short),
                after: pin.commit.as_ref().map(short),
                is_secret: false,
            });
        }
    }
    changes
}
