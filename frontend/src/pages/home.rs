//! The first page: a greeting, what is being built, what needs a person, what happened lately.

use chrono::{DateTime, Local, Timelike, Utc};
use leptos::prelude::*;
use shared_types::mark::Attention;
use shared_types::{AppServerSummary, InstanceSummary, Serving};

use crate::components::{QueueBanner, StatusDot, time_left};
use crate::paths::{self, Page};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, Title};
use crate::words;

/// How many things that happened are shown.
const LATELY: usize = 6;
/// How many of the others.
const SHOWN: usize = 20;

/// One line of a card.
#[derive(Clone, PartialEq)]
struct Item {
    link: String,
    about: AppServerSummary,
    name: String,
    text: Text,
}

/// What a line says; some of it changes with the time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    Building,
    Needs(Attention),
    Happened,
}

/// What a card shows: the first lines, and how many more there are.
#[derive(Clone, PartialEq, Default)]
struct Items {
    shown: Vec<Item>,
    more: usize,
}

/// The page.
#[component]
pub fn Home() -> impl IntoView {
    let list = state().data.list();
    let now = clock::now();
    let greeting = Memo::new(move |_| words::greeting(now.get().with_timezone(&Local).hour()));
    let count = Memo::new(move |_| list.with(|list| list.here().map(|rows| rows.len())));
    let items = move |pick: Pick, shown: usize| {
        Memo::new(move |_| {
            list.with(|list| list.here().map(|rows| latest(rows.values().map(|row| &row.summary), pick, shown)))
                .unwrap_or_default()
        })
    };
    let (buildings, waiting, happened) =
        (items(building, SHOWN), items(needs_a_person, SHOWN), items(happened, LATELY));
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
                    <Card title="Building now" items=buildings tells_more=true nothing="Nothing is being built."/>
                    <Card title="Needs a person" items=waiting tells_more=true nothing="Nothing waits for you."/>
                    <Card title="Lately" items=happened nothing="Nothing has happened yet."/>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn Card(
    title: &'static str,
    items: Memo<Items>,
    /// Whether it says how many more there are.
    #[prop(optional)]
    tells_more: bool,
    nothing: &'static str,
) -> impl IntoView {
    let links =
        Memo::new(move |_| items.with(|items| items.shown.iter().map(|item| item.link.clone()).collect::<Vec<_>>()));
    let more = Memo::new(move |_| items.with(|items| items.more));
    let after = move || {
        if links.with(Vec::is_empty) {
            return Some(nothing.to_owned());
        }
        (tells_more && more.get() > 0).then(|| format!("and {} more, in the list.", words::thousands(more.get())))
    };
    view! {
        <section class="card" aria-label=title>
            <header>
                <h2>{title}</h2>
            </header>
            <ul hidden=move || links.with(Vec::is_empty)>
                <For each=move || links.get() key=Clone::clone let:link>
                    {line_of(items, &link).map(|item| view! { <Line item/> })}
                </For>
            </ul>
            {move || after().map(|words| view! { <p class="nothing">{words}</p> })}
        </section>
    }
}

/// One line, as it is last known: it may be gone before its view is.
fn line_of(items: Memo<Items>, link: &str) -> Option<Memo<Item>> {
    let link = link.to_owned();
    let find = move || items.with(|items| items.shown.iter().find(|item| item.link == link).cloned());
    let first = untrack(&find)?;
    Some(Memo::new(move |last: Option<&Item>| find().unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

/// A line stays what it is while it changes: a focused link stays focused.
#[component]
fn Line(item: Memo<Item>) -> impl IntoView {
    let now = clock::now();
    let link = item.with_untracked(|item| item.link.clone());
    let status = Memo::new(move |_| item.with(|item| item.about.status));
    let aside = move || {
        item.with(|item| match item.text {
            Text::Building => words::percent(item.about.progress.share()),
            Text::Needs(_) | Text::Happened => words::ago(item.about.modified, now.get()),
        })
    };
    view! {
        <li>
            {move || view! { <StatusDot status=status.get()/> }}
            <a href=link>{move || item.with(|item| item.name.clone())}</a>
            <span class="fine">{aside}</span>
            <span class="fine under">{move || item.with(|item| item.text.of(&item.about, now.get()))}</span>
        </li>
    }
}

impl Text {
    fn of(self, about: &AppServerSummary, now: DateTime<Utc>) -> String {
        let name = &about.name;
        match self {
            Self::Building => {
                let queued = about.progress.queued.as_ref().map(shared_types::queue::Queued::words);
                let left = queued.or_else(|| time_left(about, now)).unwrap_or_else(|| about.status_name.clone());
                format!("{name} · {left}")
            }
            Self::Needs(Attention::ActiveUnhealthy) => format!("{name} is active and not healthy"),
            Self::Needs(Attention::BuildFailed) => {
                format!("{name} failed: {}", about.failure.as_deref().unwrap_or(&about.status_description))
            }
            Self::Needs(Attention::AwaitsActivation) => format!("{name} waits for activation"),
            Self::Happened if about.serving == Serving::Active => format!("{name} is active"),
            Self::Happened => format!("{name}: {}", about.status_name),
        }
    }
}

/// What of an instance is on a card, if anything is.
type Pick = fn(&InstanceSummary) -> Option<(&AppServerSummary, Text)>;

/// The newest of them, and how many more there are. Of thousands, only those that are shown are copied.
fn latest<'a>(rows: impl Iterator<Item = &'a InstanceSummary>, pick: Pick, shown: usize) -> Items {
    let mut picked: Vec<_> = rows.filter_map(|row| pick(row).map(|(about, text)| (row, about, text))).collect();
    let newest_first = |(_, about, _): &(_, &AppServerSummary, _)| std::cmp::Reverse((about.modified, about.id));
    let more = picked.len().saturating_sub(shown);
    if more > 0 {
        picked.select_nth_unstable_by_key(shown, newest_first);
        picked.truncate(shown);
    }
    picked.sort_unstable_by_key(newest_first);
    Items { shown: picked.into_iter().map(|(row, about, text)| item(row, about, text)).collect(), more }
}

fn building(row: &InstanceSummary) -> Option<(&AppServerSummary, Text)> {
    let newest = row.newest_appserver.as_ref().filter(|newest| newest.status.is_building())?;
    Some((newest, Text::Building))
}

fn needs_a_person(row: &InstanceSummary) -> Option<(&AppServerSummary, Text)> {
    let attention = row.attention()?;
    let about = match attention {
        Attention::ActiveUnhealthy => row.active_appserver.as_ref()?,
        Attention::BuildFailed | Attention::AwaitsActivation => row.newer()?,
    };
    Some((about, Text::Needs(attention)))
}

/// The last that the summary shows of an instance's app servers.
fn happened(row: &InstanceSummary) -> Option<(&AppServerSummary, Text)> {
    let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
    let last = servers.into_iter().flatten().max_by_key(|server| server.modified)?;
    Some((last, Text::Happened))
}

fn item(row: &InstanceSummary, about: &AppServerSummary, text: Text) -> Item {
    Item { link: paths::app_server(row.id, about.id), about: about.clone(), name: row.name.clone(), text }
}
