//! One entry. It never changes; only its age does.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use shared_types::audit::{Activity, Outcome};
use shared_types::{AppServerId, InstanceId};
use std::sync::Arc;

use super::words;
use crate::components::DiffView;
use crate::paths::{self, ActivityFilter};
use crate::state::state;
use crate::ui::{Icon, Shape};
use crate::words::ago;

#[component]
pub fn Row(
    entry: Arc<Activity>,
    /// The current time, to about 10 s.
    now: Memo<DateTime<Utc>>,
) -> impl IntoView {
    let at = entry.at;
    let what = words::what(&entry);
    let subject = words::subject(&entry).map(|name| view! { " " <bdi class="subject">{name}</bdi> });
    let refused = (entry.outcome == Outcome::Refused).then(|| {
        view! {
            <span class="label bad"><Icon shape=Shape::Cross/>"Refused"</span>
        }
    });
    let about = entry.instance_id.or_else(|| instance_of(entry.app_server_id?));
    let reason = entry.reason.clone().map(|reason| view! { <div class="reason" dir="auto">{reason}</div> });
    view! {
        <li class="entry">
            <div class="grow">
                <div class="did">
                    <span>
                        <b dir="auto">{entry.actor.clone()}</b>
                        " "
                        {what}
                        {subject}
                    </span>
                    <About instance=about app_server=entry.app_server_id/>
                    {refused}
                </div>
                {reason}
                <Details entry/>
            </div>
            <time class="fine" datetime=at.to_rfc3339() title=exact(at)>{move || ago(at, now.get())}</time>
        </li>
    }
}

/// The instance of an app server: refused operations record only the app server; the list may know its instance.
fn instance_of(id: AppServerId) -> Option<InstanceId> {
    let is_it = |one: &Option<shared_types::AppServerSummary>| one.as_ref().is_some_and(|one| one.id == id);
    state().data.list().with_untracked(|list| {
        let rows = list.here()?;
        let mut rows = rows.values().map(|row| &row.summary);
        rows.find(|row| is_it(&row.active_appserver) || is_it(&row.newest_appserver)).map(|row| row.id)
    })
}

/// Links to the affected instance and app server.
#[component]
fn About(instance: Option<InstanceId>, app_server: Option<AppServerId>) -> impl IntoView {
    let list = state().data.list();
    let names = Memo::new(move |_| {
        let row = list.with(|list| list.here().and_then(|rows| rows.get(&instance?).map(|row| row.summary.clone())));
        let of = |id: AppServerId| {
            let known = row.iter().flat_map(|row| [&row.active_appserver, &row.newest_appserver]).flatten();
            let name = known.filter(|one| one.id == id).map(|one| one.name.clone()).next();
            name.unwrap_or_else(|| format!("app server {id}"))
        };
        let instance = instance.map(|id| row.as_ref().map_or_else(|| format!("instance {id}"), |row| row.name.clone()));
        (instance, app_server.map(of))
    });
    let shown = move || {
        let (instance_name, app_server_name) = names.get();
        let instance_link = instance_name.zip(instance);
        let app_server_link = app_server_name.zip(app_server).map(|(name, id)| match instance {
            Some(instance) => view! { <a href=paths::app_server(instance, id)>{name}</a> }.into_any(),
            None => view! { <span>{name}</span> }.into_any(),
        });
        let between = (instance_link.is_some() && app_server_link.is_some()).then_some(" · ");
        let instance_link = instance_link.map(|(name, id)| view! { <a href=paths::instance(id) dir="auto">{name}</a> });
        view! { {instance_link} {between} {app_server_link} }
    };
    (instance.is_some() || app_server.is_some()).then(|| view! { <span class="about">{shown}</span> })
}

/// All details, collapsed; drawn once expanded.
#[component]
fn Details(entry: Arc<Activity>) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let toggled = move |event: web_sys::Event| {
        is_open.set(event_target::<web_sys::HtmlDetailsElement>(&event).open());
    };
    view! {
        <details class="details" on:toggle=toggled>
            <summary><Icon shape=Shape::Chevron/>"Details"</summary>
            {move || is_open.get().then(|| view! { <Unfolded entry=Arc::clone(&entry)/> })}
        </details>
    }
}

#[component]
fn Unfolded(entry: Arc<Activity>) -> impl IntoView {
    let changes = words::changes(&entry);
    let changes = (!changes.is_empty()).then(|| view! { <DiffView changes/> });
    let fact = |name: String, value: String| view! { <dt>{words::capitalized(&name)}</dt> <dd dir="auto">{value}</dd> };
    let details = words::details(&entry).into_iter().map(|(name, value)| fact(name, value)).collect_view();
    let given = |name: &str, value: &Option<String>| value.clone().map(|value| fact(name.to_owned(), value));
    let everything = ActivityFilter::default();
    let by = ActivityFilter { actor: entry.actor.clone(), ..everything.clone() };
    let instance = entry.instance_id.map(|id| ActivityFilter { instance: Some(id), ..everything.clone() });
    let app_server = entry.app_server_id.map(|id| ActivityFilter { app_server: Some(id), ..everything });
    let link = |filter: ActivityFilter, label: String| view! { <a href=filter.path()>{label}</a> };
    view! {
        {changes}
        <dl>
            {fact("exactly".to_owned(), exact(entry.at))}
            {fact("operation".to_owned(), entry.action.clone())}
            {details}
            {given("from", &entry.address)}
            {given("request", &entry.request_id)}
        </dl>
        <div class="narrow">
            {link(by, format!("All by {}", entry.actor))}
            {instance.map(|filter| link(filter, "All about this instance".to_owned()))}
            {app_server.map(|filter| link(filter, "All about this app server".to_owned()))}
        </div>
    }
}

/// The local time to the second.
fn exact(at: DateTime<Utc>) -> String {
    at.with_timezone(&chrono::Local).format("%-d %b %Y, %H:%M:%S").to_string()
}
