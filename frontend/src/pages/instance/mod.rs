//! One instance: its header, its tabs, each with its URL.

mod app_servers;
mod settings;

use leptos::prelude::*;
use leptos_meta::Title;
use shared_types::{Instance, InstanceId, ProblemType};
use std::sync::Arc;

use super::NotFound;
use crate::api::ApiError;
use crate::api::logs::LogOf;
use crate::components::{Launch, LogCard, StatusLabel};
use crate::paths::{Page, Tab};
use crate::state::{Fetched, state};
use crate::ui::Loading;

/// The page.
#[component]
pub fn InstancePage(
    /// Whose.
    id: InstanceId,
) -> impl IntoView {
    let fetched = state().data.instance(id);
    when_here(fetched, move |instance| view! { <Whole id instance/> }.into_any())
}

/// Draws what is fetched once it is here, and says so while it is not or cannot be.
pub fn when_here<T>(fetched: Memo<Fetched<T>>, draw: impl Fn(Memo<Arc<T>>) -> AnyView + Send + 'static) -> impl IntoView
where
    T: PartialEq + Send + Sync + 'static,
{
    let stage = Memo::new(move |_| fetched.with(Stage::of));
    move || match (stage.get(), fetched.get_untracked().here().cloned()) {
        (Stage::Here, Some(first)) => {
            let value = Memo::new(move |last: Option<&Arc<T>>| match fetched.get() {
                Fetched::Here(value) => value,
                Fetched::Waiting | Fetched::Failed(_) => last.unwrap_or(&first).clone(),
            });
            draw(value)
        }
        (Stage::Failed(error), _) if error.is(ProblemType::NotFound) => view! { <NotFound/> }.into_any(),
        (Stage::Failed(error), _) => view! { <p class="lone" role="alert">{error.to_string()}</p> }.into_any(),
        (Stage::Waiting | Stage::Here, _) => view! { <Loading/> }.into_any(),
    }
}

/// How far the fetching is, without what was fetched: the view is drawn anew only when this changes.
#[derive(Clone, PartialEq)]
enum Stage {
    Waiting,
    Here,
    Failed(ApiError),
}

impl Stage {
    fn of<T>(fetched: &Fetched<T>) -> Self {
        match fetched {
            Fetched::Waiting => Self::Waiting,
            Fetched::Here(_) => Self::Here,
            Fetched::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

/// The tabs, without what is selected in them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    AppServers,
    Settings,
    Log,
    PullRequest,
}

impl Part {
    const fn of(tab: Tab) -> Self {
        match tab {
            Tab::AppServers(_) => Self::AppServers,
            Tab::Settings => Self::Settings,
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
        Page::Login | Page::Home | Page::Instances | Page::NewInstance | Page::Unknown => Tab::AppServers(None),
    });
    let part = Memo::new(move |_| Part::of(tab.get()));
    let launch = Launch::new(id, instance);
    view! {
        {move || view! { <Title text=instance.with(|instance| instance.summary.name.clone())/> }}
        <div class="page">
            <Header instance/>
            <Tabs id instance part/>
            {move || match part.get() {
                Part::AppServers => view! { <app_servers::AppServersTab instance launch tab/> }.into_any(),
                Part::Settings => view! { <settings::SettingsTab instance launch/> }.into_any(),
                Part::Log => view! { <LogTab id/> }.into_any(),
                Part::PullRequest => view! { <PullRequestTab/> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn Header(instance: Memo<Arc<Instance>>) -> impl IntoView {
    let name = move || instance.with(|instance| instance.summary.name.clone());
    let url = move || instance.with(|instance| instance.url.clone());
    let studio_url = move || instance.with(|instance| instance.studio_url.clone());
    let label = move || match instance.get().summary.active_appserver.clone() {
        Some(active) => {
            let words = format!("{}: {}", active.name, active.status_name);
            view! { <StatusLabel status=active.status words/> }.into_any()
        }
        None => view! { <span class="label">"No active app server"</span> }.into_any(),
    };
    view! {
        <div class="head">
            <div>
                <h1>{name}</h1>
                <div class="links">
                    <span>"LMS: " <a href=url target="_blank" rel="noreferrer">{url}</a></span>
                    <span>"Studio: " <a href=studio_url target="_blank" rel="noreferrer">{studio_url}</a></span>
                </div>
            </div>
            <div class="right">{label}</div>
        </div>
    }
}

#[component]
fn Tabs(id: InstanceId, instance: Memo<Arc<Instance>>, part: Memo<Part>) -> impl IntoView {
    let pending = move || instance.with(|instance| instance.pending_changes.len());
    let count = move || {
        (pending() > 0).then(|| view! { <span class="n" title="Changed since the active app server">{pending}</span> })
    };
    let current = move |one: Part| move || (part.get() == one).then_some("page");
    let to = move |tab: Tab| Page::Instance(id, tab).to_string();
    view! {
        <nav class="tabs" aria-label="Instance">
            <a href=to(Tab::AppServers(None)) aria-current=current(Part::AppServers)>"App Servers"</a>
            <a href=to(Tab::Settings) aria-current=current(Part::Settings)>"Settings" {count}</a>
            <a href=to(Tab::Log) aria-current=current(Part::Log)>"Log"</a>
            <a href=to(Tab::PullRequest) aria-current=current(Part::PullRequest)>"Pull Request (n/a)"</a>
        </nav>
    }
}

#[component]
fn LogTab(id: InstanceId) -> impl IntoView {
    view! {
        <p class="tab-words">
            "This log does not include events from each App Server or VM. Select an App Server on the \"App Servers\" tab to view those logs."
        </p>
        <LogCard of=LogOf::Instance(id) is_tall=true/>
    }
}

#[component]
fn PullRequestTab() -> impl IntoView {
    view! {
        <section class="card">
            <p class="body">"This instance was not created for a pull request."</p>
        </section>
    }
}
