//! The list of instances: filtered, sorted, windowed, live.

mod choice;
mod rows;

use leptos::html;
use leptos::prelude::*;
use shared_types::InstanceId;

use crate::paths::Page;
use crate::state::data::{Rows as Listed, Words};
use crate::state::{Fetched, state};
use crate::ui::{Icon, Shape, is_shortcut, on_key};
use choice::{Only, Order};
use rows::Rows;

/// The list.
#[component]
pub fn InstanceList() -> impl IntoView {
    let words = RwSignal::new(String::new());
    let only = RwSignal::new(Only::All);
    let list = listed(only);
    let order = RwSignal::new(Order::Name);
    let chosen = Memo::new(move |before: Option<&Vec<InstanceId>>| {
        let (words, only, order) = (Words::of(&words.get()), only.get(), order.get());
        list.with(|list| match list {
            Fetched::Here(rows) => choice::choose(rows, only, &words, order, before.map_or(&[], Vec::as_slice)),
            Fetched::Waiting | Fetched::Failed(_) => Vec::new(),
        })
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
            <Rows list chosen words/>
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
            && is_shortcut(event)
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
    let counts = Memo::new(move |_| {
        list.with(|list| list.here().map_or([0; 3], |rows| choice::counts(rows.values().map(AsRef::as_ref))))
    });
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
                    Only::All => counted(one, move || counts.get()[0]),
                    Only::Attention => counted(one, move || counts.get()[1]),
                    Only::Building => counted(one, move || counts.get()[2]),
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

fn counted(one: Only, count: impl Fn() -> usize + Send + 'static) -> AnyView {
    view! { {one.word()} " " {count} }.into_any()
}
