//! The first page: a greeting, what is being built, what needs a person, what happened lately.

use chrono::{Local, Timelike};
use leptos::prelude::*;
use shared_types::mark::Attention;
use shared_types::{AppServerStatus, AppServerSummary, InstanceSummary, Serving};

use crate::components::{QueueBanner, StatusDot, last_activity, time_left};
use crate::paths::{self, Page};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, Title};
use crate::words;

/// How many things that happened are shown.
const LATELY: usize = 6;

/// One line of a card.
#[derive(Clone, PartialEq)]
struct Item {
    link: String,
    status: AppServerStatus,
    name: String,
    aside: String,
    text: String,
}

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    let list = state().data.list();
    let now = clock::now();
    let greeting = Memo::new(move |_| words::greeting(now.get().with_timezone(&Local).hour()));
    let count = Memo::new(move |_| list.with(|list| list.here().map(|rows| rows.len())));
    let items = move |pick: fn(&InstanceSummary, chrono::DateTime<chrono::Utc>) -> Option<Item>| {
        Memo::new(move |_| {
            let now = now.get();
            list.with(|list| {
                list.here().map(|rows| rows.values().filter_map(|row| pick(row, now)).collect()).unwrap_or_default()
            })
        })
    };
    let (buildings, waiting) = (items(building), items(needs_a_person));
    let happened = Memo::new(move |_| {
        let now = now.get();
        list.with(|list| list.here().map(|rows| lately(rows.values(), now)).unwrap_or_default())
    });
    view! {
        <Title text=""/>
        <div class="page">
            <QueueBanner/>
            <section class="empty">
                <Icon shape=Shape::Cube/>
                <h1>{greeting}</h1>
                <p>"If you want to manage some Open edX instances, you've come to the right place."</p>
                <Show when=move || count.get() == Some(0)>
                    <a class="btn primary" href=Page::NewInstance.to_string()>
                        <Icon shape=Shape::Plus/>
                        "Create your first instance"
                    </a>
                </Show>
            </section>
            <Show when=move || count.get().is_some_and(|count| count > 0)>
                <div class="three">
                    <Card title="Building now" items=buildings nothing="Nothing is being built."/>
                    <Card title="Needs a person" items=waiting nothing="Nothing waits for you."/>
                    <Card title="Lately" items=happened nothing="Nothing has happened yet."/>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn Card(title: &'static str, items: Memo<Vec<Item>>, nothing: &'static str) -> impl IntoView {
    let list = move || {
        let items = items.get();
        if items.is_empty() {
            return view! { <p class="nothing">{nothing}</p> }.into_any();
        }
        let items = items.into_iter().map(|item| {
            view! {
                <li>
                    <StatusDot status=item.status/>
                    <a href=item.link>{item.name}</a>
                    <span class="fine">{item.aside}</span>
                    <span class="fine under">{item.text}</span>
                </li>
            }
        });
        view! { <ul>{items.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="card" aria-label=title>
            <header>
                <h2>{title}</h2>
            </header>
            {list}
        </section>
    }
}

fn building(row: &InstanceSummary, now: chrono::DateTime<chrono::Utc>) -> Option<Item> {
    let newest = row.newest_appserver.as_ref().filter(|newest| newest.status.is_building())?;
    let share = newest.progress.share();
    let queued = newest.progress.queued.as_ref().map(shared_types::queue::Queued::words);
    let left = queued.or_else(|| time_left(newest, now)).unwrap_or_else(|| newest.status_name.clone());
    Some(item(row, newest, words::percent(share), format!("{} · {left}", newest.name)))
}

fn needs_a_person(row: &InstanceSummary, now: chrono::DateTime<chrono::Utc>) -> Option<Item> {
    let attention = row.attention()?;
    let about = match attention {
        Attention::ActiveUnhealthy => row.active_appserver.as_ref()?,
        Attention::BuildFailed | Attention::AwaitsActivation => row.newer()?,
    };
    let text = match attention {
        Attention::ActiveUnhealthy => format!("{} is active and not healthy", about.name),
        Attention::BuildFailed => {
            format!("{} failed: {}", about.name, about.failure.as_deref().unwrap_or(&about.status_description))
        }
        Attention::AwaitsActivation => format!("{} waits for activation", about.name),
    };
    Some(item(row, about, words::ago(about.modified, now), text))
}

fn lately<'a>(rows: impl Iterator<Item = &'a InstanceSummary>, now: chrono::DateTime<chrono::Utc>) -> Vec<Item> {
    let mut rows: Vec<&InstanceSummary> = rows.collect();
    rows.sort_by_key(|row| std::cmp::Reverse(last_activity(row)));
    rows.into_iter().filter_map(|row| happened(row, now)).take(LATELY).collect()
}

/// The last that the summary shows of an instance's app servers.
fn happened(row: &InstanceSummary, now: chrono::DateTime<chrono::Utc>) -> Option<Item> {
    let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
    let last = servers.into_iter().flatten().max_by_key(|server| server.modified)?;
    let text = match last.serving {
        Serving::Active => format!("{} is active", last.name),
        Serving::Idle | Serving::Draining | Serving::Fallback => format!("{}: {}", last.name, last.status_name),
    };
    Some(item(row, last, words::ago(last.modified, now), text))
}

fn item(row: &InstanceSummary, about: &AppServerSummary, aside: String, text: String) -> Item {
    Item { link: paths::app_server(row.id, about.id), status: about.status, name: row.name.clone(), aside, text }
}
