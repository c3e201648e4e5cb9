//! The first page: a greeting, builds in progress, what needs attention, recent changes.

mod items;

use chrono::{Local, Timelike};
use leptos::prelude::*;

use self::items::{Item, Items, Sign};
use crate::components::{HealthDot, QueueBanner, StatusDot};
use crate::paths::{InstanceFilter, Only, Order, Page};
use crate::state::{clock, state};
use crate::ui::{Icon, Shape, Title};
use crate::words;

#[component]
pub fn Home() -> impl IntoView {
    let list = state().data.list();
    let now = clock::now();
    let greeting = Memo::new(move |_| words::greeting(now.get().with_timezone(&Local).hour()));
    let count = Memo::new(move |_| list.with(|list| list.here().map(|rows| rows.len())));
    let items = move |choose: items::Choose| {
        Memo::new(move |_| {
            list.with(|list| {
                list.here().map(|rows| choose(&mut rows.values().map(|row| &row.summary))).unwrap_or_default()
            })
        })
    };
    let (buildings, waiting, happened) =
        (items(items::building), items(items::needs_attention), items(items::happened));
    let listed = |only, order| InstanceFilter { only, order, ..Default::default() }.path(Page::Instances);
    view! {
        <Title text=""/>
        <div class="page">
            <QueueBanner/>
            <section class="empty">
                <Icon shape=Shape::Cube/>
                <h1>{greeting}</h1>
                <p>"If you want to manage some instances, you've come to the right place."</p>
                <Show when=move || count.get() == Some(0)>
                    <a class="btn primary" href=Page::NewInstance.to_string()>
                        <Icon shape=Shape::Plus/>
                        "Create your first instance"
                    </a>
                </Show>
            </section>
            <Show when=move || count.get().is_some_and(|count| count > 0)>
                <div class="three">
                    <Card
                        title="Building now"
                        items=buildings
                        more=listed(Only::Building, Order::Changed)
                        nothing="No builds running."
                    />
                    <Card
                        title="Needs attention"
                        items=waiting
                        more=listed(Only::Attention, Order::Health)
                        nothing="Nothing needs attention."
                    />
                    <Card title="Recent activity" items=happened nothing="No activity yet."/>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn Card(
    title: &'static str,
    items: Memo<Items>,
    /// The path of the full list, linked if the card hides some.
    #[prop(optional, into)]
    more: Option<String>,
    nothing: &'static str,
) -> impl IntoView {
    let links =
        Memo::new(move |_| items.with(|items| items.shown.iter().map(|item| item.link.clone()).collect::<Vec<_>>()));
    let is_empty = Memo::new(move |_| links.with(Vec::is_empty));
    let left_out = Memo::new(move |_| items.with(|items| items.more));
    let more = move || {
        let more = more.clone().filter(|_| left_out.get() > 0)?;
        Some(view! { <p class="nothing"><a href=more>{words::thousands(left_out.get())} " more"</a></p> })
    };
    view! {
        <section class="card" aria-label=title>
            <header>
                <h2>{title}</h2>
            </header>
            <ul hidden=is_empty>
                <For each=move || links.get() key=Clone::clone let:link>
                    {line_of(items, &link).map(|item| view! { <Line item/> })}
                </For>
            </ul>
            {more}
            <p class="nothing" hidden=move || !is_empty.get()>{nothing}</p>
        </section>
    }
}

/// One line, as last known: it may be removed before its view.
fn line_of(items: Memo<Items>, link: &str) -> Option<Memo<Item>> {
    let link = link.to_owned();
    let find = move || items.with(|items| items.shown.iter().find(|item| item.link == link).cloned());
    let first = untrack(&find)?;
    Some(Memo::new(move |last: Option<&Item>| find().unwrap_or_else(|| last.unwrap_or(&first).clone())))
}

/// A line is not recreated when its item changes, so that its link keeps the focus.
#[component]
fn Line(item: Memo<Item>) -> impl IntoView {
    let now = clock::now();
    let link = item.with_untracked(|item| item.link.clone());
    let sign = Memo::new(move |_| item.with(|item| item.sign));
    view! {
        <li>
            {move || match sign.get() {
                Sign::Build(status) => view! { <StatusDot status/> }.into_any(),
                Sign::Health(state) => view! { <HealthDot state/> }.into_any(),
            }}
            <a href=link>{move || item.with(|item| item.name.clone())}</a>
            <span class="fine">{move || item.with(|item| item.aside(now.get()))}</span>
            <span class="fine under">{move || item.with(|item| item.words(now.get()))}</span>
        </li>
    }
}
