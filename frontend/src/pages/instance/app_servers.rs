//! The tab that runs an instance: traffic, app servers, and the one that is selected.

use leptos::prelude::*;
use shared_types::{AppServer, AppServerId, AppServerStatus, AppServerSummary, Instance};
use std::sync::Arc;

use super::when_here;
use crate::api::logs::LogOf;
use crate::components::{ActivateDialog, AppServerList, Configuration, Failure, Lanes, Launch, LogCard, StatusCard};
use crate::paths::Tab;
use crate::state::state;

/// The tab.
#[component]
pub fn AppServersTab(
    /// Whose.
    instance: Memo<Arc<Instance>>,
    /// What launches.
    launch: Launch,
    /// Which app server the URL names.
    tab: Memo<Tab>,
) -> impl IntoView {
    let selected = Memo::new(move |_| match tab.get() {
        Tab::AppServers(Some(id)) => Some(id),
        Tab::AppServers(None) | Tab::Settings | Tab::Log | Tab::PullRequest => {
            instance.with(|instance| instance.appservers.first().map(|newest| newest.id))
        }
    });
    let activating = RwSignal::new(None::<AppServerSummary>);
    let on_activate = Callback::new(move |target| activating.set(Some(target)));
    let on_close = Callback::new(move |()| activating.set(None));
    view! {
        <Lanes instance launch on_activate/>
        <div class="split">
            <AppServerList instance selected launch/>
            <div class="stack">
                {move || selected.get().map(|id| view! { <Selected id on_activate/> })}
            </div>
        </div>
        {move || activating.get().map(|target| {
            view! { <ActivateDialog instance=instance.get_untracked() target on_close/> }
        })}
    }
}

#[component]
fn Selected(id: AppServerId, on_activate: Callback<AppServerSummary>) -> impl IntoView {
    let fetched = state().data.app_server(id);
    when_here(fetched, move |app_server: Memo<Arc<AppServer>>| {
        let failed = Memo::new(move |_| {
            let status = app_server.get().summary.status;
            matches!(status, AppServerStatus::Failed | AppServerStatus::Error)
        });
        view! {
            {move || failed.get().then(|| view! { <Failure app_server=app_server.get_untracked()/> })}
            <StatusCard app_server on_activate/>
            <Configuration app_server/>
            <LogCard of=LogOf::AppServer(id)/>
        }
        .into_any()
    })
}
