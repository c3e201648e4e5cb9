//! The tab of an instance with its traffic, its app servers, and the selected one.

use leptos::prelude::*;
use shared_types::{AppServer, AppServerId, AppServerStatus, Instance};
use std::sync::Arc;
use std::time::Duration;

use crate::api::logs::LogOf;
use crate::components::{
    AccessCard, AppServerList, Ask, CertificateCard, Configuration, Failure, History, Lanes, Launch, LogCard,
    StatusCard, SwitchCard, name_before,
};
use crate::pages::when_here;
use crate::paths::Tab;
use crate::state::data::Key;
use crate::state::state;

/// The poll interval for the time of the last check.
const CHECKED_EVERY: Duration = Duration::from_secs(30);

#[component]
pub fn AppServersTab(
    instance: Memo<Arc<Instance>>,
    launch: Launch,
    /// The tab with the app server that the URL names.
    tab: Memo<Tab>,
    /// Opens the dialog of an action.
    ask: Ask,
) -> impl IntoView {
    let selected = Memo::new(move |_| match tab.get() {
        Tab::AppServers(Some(id)) => Some(id),
        Tab::AppServers(None) | Tab::Settings | Tab::Data | Tab::Log | Tab::PullRequest => {
            instance.with(|instance| instance.appservers.first().map(|newest| newest.id))
        }
    });
    view! {
        <Lanes instance launch ask/>
        <SwitchCard instance ask/>
        <div class="split">
            <div class="stack">
                <AppServerList instance selected launch/>
                <History instance/>
                <CertificateCard id=instance.with_untracked(|instance| instance.summary.id)/>
            </div>
            <div class="stack">
                {move || selected.get().map(|id| view! { <Selected instance id ask/> })}
            </div>
        </div>
    }
}

#[component]
fn Selected(instance: Memo<Arc<Instance>>, id: AppServerId, ask: Ask) -> impl IntoView {
    let before = Memo::new(move |_| instance.with(|instance| name_before(&instance.appservers, id)));
    let fetched = state().data.app_server(id);
    // Checks with unchanged results send no event.
    state().data.poll_every(Key::AppServer(id), CHECKED_EVERY);
    when_here(fetched, move |app_server: Memo<Arc<AppServer>>| {
        let failed = Memo::new(move |_| {
            let status = app_server.get().summary.status;
            matches!(status, AppServerStatus::Failed | AppServerStatus::Error)
        });
        view! {
            {move || failed.get().then(|| view! { <Failure app_server/> })}
            <StatusCard instance app_server before ask/>
            <AccessCard app_server/>
            <Configuration instance app_server/>
            <LogCard of=LogOf::AppServer(id)/>
        }
        .into_any()
    })
}
