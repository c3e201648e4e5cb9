//! The list of instances: filtered, sorted, windowed, live.

use leptos::html;
use leptos::prelude::*;
use shared_types::{InstanceId, InstanceSummary};

use super::mark::Marks;
use crate::paths::{self, Page};
use crate::state::data::Rows as Listed;
use crate::state::{Fetched, state};
use crate::ui::window::{Scroll, px};
use crate::ui::{Icon, Loading, Shape, is_typing, on_key};

const ROW_PX: f64 = 58.0;

/// Which instances are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    All,
    Attention,
    Building,
    Archived,
}

impl Only {
    const ALL: [Self; 4] = [Self::All, Self::Attention, Self::Building, Self::Archived];

    const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Attention => "Attention",
            Self::Building => "Building",
            Self::Archived => "Archived",
        }
    }

    fn takes(self, row: &InstanceSummary) -> bool {
        match self {
            Self::All | Self::Archived => true,
            Self::Attention => row.attention().is_some(),
            Self::Building => row.is_building(),
        }
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    Created,
    Activity,
}

impl Order {
    const ALL: [Self; 3] = [Self::Name, Self::Created, Self::Activity];

    const fn word(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Created => "Created",
            Self::Activity => "Activity",
        }
    }

    fn sort(self, rows: &mut [InstanceSummary]) {
        match self {
            Self::Name => rows.sort_by_cached_key(|row| (row.name.to_lowercase(), row.id)),
            Self::Created => rows.sort_by_key(|row| std::cmp::Reverse((row.created, row.id))),
            Self::Activity => rows.sort_by_key(|row| std::cmp::Reverse((last_activity(row), row.id))),
        }
    }
}

/// When something last happened to an instance, as far as its summary shows.
pub fn last_activity(row: &InstanceSummary) -> chrono::DateTime<chrono::Utc> {
    let servers = [row.active_appserver.as_ref(), row.newest_appserver.as_ref()];
    servers.into_iter().flatten().map(|server| server.modified).fold(row.modified, Ord::max)
}

/// Whether the words typed are in its name or domain, in any case.
pub fn matches(row: &InstanceSummary, words: &str) -> bool {
    let (name, domain) = (row.name.to_lowercase(), row.domain.to_lowercase());
    words.to_lowercase().split_whitespace().all(|word| name.contains(word) || domain.contains(word))
}

/// The list.
#[component]
pub fn InstanceList() -> impl IntoView {
    let words = RwSignal::new(String::new());
    let only = RwSignal::new(Only::All);
    let list = listed(only);
    let order = RwSignal::new(Order::Name);
    let rows = Memo::new(move |_| {
        let (words, only) = (words.get(), only.get());
        let mut rows: Vec<InstanceSummary> = list.with(|list| match list {
            Fetched::Here(rows) => {
                rows.values().filter(|row| only.takes(row) && matches(row, &words)).cloned().collect()
            }
            Fetched::Waiting | Fetched::Failed(_) => Vec::new(),
        });
        order.get().sort(&mut rows);
        rows
    });
    view! {
        <nav class="list" aria-label="Instances">
            <header>
                <FilterField words/>
                <a class="btn primary" href=Page::NewInstance.to_string()>
                    <Icon shape=Shape::Plus/>
                    "New"
                </a>
            </header>
            <Strip only order/>
            <Rows list rows words/>
        </nav>
    }
}

/// Those in use, or the archived ones, which are fetched only while they are listed.
fn listed(only: RwSignal<Only>) -> Signal<Fetched<Listed>> {
    let data = state().data;
    let is_archived = Memo::new(move |_| only.get() == Only::Archived);
    let source = Memo::new(move |_| {
        let source: Signal<Fetched<Listed>> = if is_archived.get() { data.archived().into() } else { data.list() };
        source
    });
    Signal::derive(move || source.get().get())
}

#[component]
fn FilterField(words: RwSignal<String>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    on_key(move |event| {
        if event.key() == "/"
            && !is_typing(event)
            && let Some(field) = field.get_untracked()
        {
            event.prevent_default();
            // It is refused only when the field is not in the document.
            let _ = field.focus();
        }
    });
    view! {
        <div class="filter">
            <Icon shape=Shape::Search/>
            <input
                node_ref=field
                type="search"
                placeholder="Filter"
                aria-label="Filter instances"
                maxlength="200"
                bind:value=words
            />
            <kbd aria-hidden="true">"/"</kbd>
        </div>
    }
}

#[component]
fn Strip(only: RwSignal<Only>, order: RwSignal<Order>) -> impl IntoView {
    let list = state().data.list();
    let count = move |one: Only| {
        list.with(|list| list.here().map_or(0, |rows| rows.values().filter(|row| one.takes(row)).count()))
    };
    let buttons = Only::ALL.map(|one| {
        view! {
            <button
                class="quiet"
                type="button"
                aria-label=(one == Only::Archived).then_some(one.word())
                title=(one == Only::Archived).then_some(one.word())
                aria-pressed=move || (only.get() == one).to_string()
                on:click=move |_| only.set(one)
            >
                {match one {
                    Only::All | Only::Attention | Only::Building => view! { {one.word()} " " {move || count(one)} }.into_any(),
                    // Seldom wanted, and not counted before it is: a sign is enough.
                    Only::Archived => view! { <Icon shape=Shape::Box/> }.into_any(),
                }}
            </button>
        }
    });
    let choose = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        order.set(Order::ALL.into_iter().find(|order| order.word() == word).unwrap_or(Order::Name));
    };
    view! {
        <div class="strip" role="group" aria-label="Which instances">
            {buttons}
            <select aria-label="Sort by" on:change=choose>
                {Order::ALL.map(|order| view! { <option>{order.word()}</option> })}
            </select>
        </div>
    }
}

#[component]
fn Rows(list: Signal<Fetched<Listed>>, rows: Memo<Vec<InstanceSummary>>, words: RwSignal<String>) -> impl IntoView {
    let scroll = Scroll::watch();
    let page = expect_context::<Memo<Page>>();
    let selected = Memo::new(move |_| match page.get() {
        Page::Instance(id, _) => Some(id),
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
        | Page::Unknown => None,
    });
    let in_sight = Memo::new(move |_| {
        rows.with(|rows| {
            let range = scroll.visible(ROW_PX, rows.len());
            let first = range.start;
            let shown = rows.get(range).unwrap_or_default();
            shown.iter().enumerate().map(|(place, row)| (first + place, row.id)).collect::<Vec<_>>()
        })
    });
    let nothing = move || match list.get() {
        Fetched::Waiting => Some(view! { <Loading/> }.into_any()),
        Fetched::Failed(error) => Some(view! { <p class="nothing" role="alert">{error.to_string()}</p> }.into_any()),
        Fetched::Here(_) if rows.with(Vec::is_empty) => {
            let text = if words.with(String::is_empty) { "No instances here." } else { "No instance matches." };
            Some(view! { <p class="nothing">{text}</p> }.into_any())
        }
        Fetched::Here(_) => None,
    };
    let height = move || format!("{}px", px(rows.with(Vec::len), ROW_PX));
    view! {
        <div class="rows" node_ref=scroll.node on:scroll=move |_| scroll.look()>
            {nothing}
            <ul style:height=height>
                <For each=move || in_sight.get() key=|item| *item let:item>
                    <Row list place=item.0 id=item.1 selected/>
                </For>
            </ul>
        </div>
    }
}

/// A row stays what it is while its instance changes: a focused one stays focused.
#[component]
fn Row(
    list: Signal<Fetched<Listed>>,
    place: usize,
    id: InstanceId,
    selected: Memo<Option<InstanceId>>,
) -> impl IntoView {
    let row = Memo::new(move |_| list.with(|list| list.here().and_then(|rows| rows.get(&id)).cloned()));
    let current = move || (selected.get() == Some(id)).then_some("page");
    view! {
        <li style:top=format!("{}px", px(place, ROW_PX))>
            <a class="row" href=paths::instance(id) aria-current=current>
                <div>
                    <b>{move || row.get().map(|row| row.name)}</b>
                    <small>{move || row.get().map(|row| row.domain)}</small>
                </div>
                {move || row.get().map(|instance| view! { <Marks instance/> })}
            </a>
        </li>
    }
}
