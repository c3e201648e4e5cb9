//! The page of an instance: its header and its tabs, each with its own URL.

mod app_servers;
mod configuring;
mod data;
mod pull_request;
mod settings;
mod updated;

pub use data::DataTab;
pub use pull_request::PullRequestTab;
pub use settings::SettingsTab;
pub use updated::Before;

use leptos::prelude::*;
use shared_types::instance::Site;
use shared_types::{Instance, InstanceId};
use std::sync::Arc;

use super::when_here;
use crate::api::logs::LogOf;
use crate::components::{
    ArchivedBanner, CopyBanner, HealthLabel, HoldBanner, Launch, LogCard, MaintenanceBanner, MigrationBanner, Verb,
    VerbDialog,
};
use crate::parts;
use crate::paths::{ActivityFilter, Page, Tab};
use crate::state::state;
use crate::ui::Title;

#[component]
pub fn InstancePage(
    /// The instance that the URL names.
    id: InstanceId,
) -> impl IntoView {
    let fetched = state().data.instance(id);
    when_here(fetched, move |instance| view! { <Whole id instance/> }.into_any())
}

/// The tabs, without the selection within them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    AppServers,
    Settings,
    Data,
    Log,
    PullRequest,
}

impl Part {
    const fn of(tab: Tab) -> Self {
        match tab {
            Tab::AppServers(_) => Self::AppServers,
            Tab::Settings => Self::Settings,
            Tab::Data => Self::Data,
            Tab::Log => Self::Log,
            Tab::PullRequest => Self::PullRequest,
        }
    }
}

#[component]
fn Whole(id: InstanceId, instance: Memo<Arc<Instance>>) -> impl IntoView {
    let page = expect_context::<Memo<Page>>();
    let tab = Memo::new(move |_| match page.get() {
        Page::Instance(_, tab) => tab,
        #[cfg(debug_assertions)]
        Page::Design => Tab::AppServers(None),
        Page::Login
        | Page::Home
        | Page::Queue
        | Page::Servers
        | Page::PullRequests
        | Page::Activity
        | Page::Account
        | Page::Users
        | Page::Instances
        | Page::NewInstance
        | Page::System
        | Page::Unknown => Tab::AppServers(None),
    });
    let part = Memo::new(move |_| Part::of(tab.get()));
    let before: Before = RwSignal::new(None);
    let launch = Launch::new(id, instance);
    let asked = RwSignal::new(None::<Verb>);
    let ask = Callback::new(move |verb| asked.set(Some(verb)));
    let on_close = Callback::new(move |()| asked.set(None));
    view! {
        {move || view! { <Title text=instance.with(|instance| instance.summary.name.clone())/> }}
        <div class="page">
            <Header instance/>
            <ArchivedBanner instance ask/>
            <MigrationBanner instance/>
            <CopyBanner instance/>
            <MaintenanceBanner instance/>
            <HoldBanner instance/>
            <Tabs id instance part/>
            {move || match part.get() {
                Part::AppServers => view! { <app_servers::AppServersTab instance launch tab ask/> }.into_any(),
                Part::Settings => parts::show(move || parts::settings(instance, launch, ask, before)),
                Part::Data => parts::show(move || parts::data(instance)),
                Part::Log => view! { <LogTab id/> }.into_any(),
                Part::PullRequest => parts::show(move || parts::pull_request(instance, before)),
            }}
        </div>
        {move || asked.get().map(|verb| view! { <VerbDialog instance=instance.get_untracked() verb on_close/> })}
    }
}

#[component]
fn Header(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let name = move || instance.with(|instance| instance.summary.name.clone());
    let sites = Memo::new(move |_| instance.with(|instance| instance.sites.clone()));
    let links = move || {
        let link = |Site { name: _, label, url }: Site| {
            view! { <span>{label} ": " <a href=url.clone() target="_blank" rel="noreferrer">{url.clone()}</a></span> }
        };
        sites.get().into_iter().map(link).collect_view()
    };
    let id = instance.with_untracked(|instance| instance.summary.id);
    let activity = ActivityFilter { instance: Some(id), ..ActivityFilter::default() }.path();
    let label = Memo::new(move |_| {
        instance.with(|instance| match &instance.summary.active_appserver {
            Some(active) => format!("{}: {}", active.name, active.status_name),
            None => "No active app server".to_owned(),
        })
    });
    let health = Memo::new(move |_| instance.with(|instance| instance.summary.health_state()));
    view! {
        <div class="head">
            <div>
                <h1>{name}</h1>
                <div class="links">
                    {links}
                    <a href=activity>"Activity"</a>
                </div>
            </div>
            <div class="right">
                <span class="label">{label}</span>
                <HealthLabel state=health/>
            </div>
        </div>
    }
}

#[component]
fn Tabs(id: InstanceId, instance: Memo<Arc<Instance>>, part: Memo<Part>) -> impl IntoView {
    let pending = move || instance.with(|instance| instance.pending_changes.len());
    let count = move || {
        (pending() > 0).then(|| view! { <span class="n" title="Changed since the active app server">{pending}</span> })
    };
    let drafts = state().drafts;
    let unsaved = move || drafts.has(id).then(|| view! { <span class="unsaved">"unsaved"</span> });
    let title = move || instance.with(|instance| pull_request::tab_title(instance.source_pr.as_ref()));
    let current = move |one: Part| move || (part.get() == one).then_some("page");
    let to = move |tab: Tab| Page::Instance(id, tab).to_string();
    view! {
        <nav class="tabs" aria-label="Instance">
            <a href=to(Tab::AppServers(None)) aria-current=current(Part::AppServers)>"App Servers"</a>
            <a href=to(Tab::Settings) aria-current=current(Part::Settings)>"Settings" {count} {unsaved}</a>
            <a href=to(Tab::Data) aria-current=current(Part::Data)>"Data"</a>
            <a href=to(Tab::Log) aria-current=current(Part::Log)>"Log"</a>
            <a href=to(Tab::PullRequest) aria-current=current(Part::PullRequest)>{title}</a>
        </nav>
    }
}

#[component]
fn LogTab(id: InstanceId) -> impl IntoView {
    view! {
        <p class="tab-words">
            "Instance events only. Build logs are on the App Servers tab."
        </p>
        <LogCard of=LogOf::Instance(id) is_tall=true/>
    }
}
