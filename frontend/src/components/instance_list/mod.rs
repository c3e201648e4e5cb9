//! The list of instances: filtered, sorted, windowed, kept up to date.

mod choice;
mod rows;

use leptos::html;
use leptos::prelude::*;
use shared_types::InstanceId;

use crate::paths::{InstanceFilter, Only, Order, Page};
use crate::state::data::{Rows as Listed, Words};
use crate::state::{Fetched, state};
use crate::ui::{Icon, NavigateOptions, Shape, is_shortcut, on_key, use_location, use_navigate};
use crate::words;
use rows::Rows;

#[component]
pub fn InstanceList() -> impl IntoView {
    let filter = RwSignal::new(InstanceFilter::default());
    in_the_address(filter);
    let words = Memo::new(move |_| filter.with(|filter| filter.words.clone()));
    let only = Memo::new(move |_| filter.with(|filter| filter.only));
    let order = Memo::new(move |_| filter.with(|filter| filter.order));
    let list = listed(only);
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
                <FilterField filter words/>
                <a class="btn primary" href=Page::NewInstance.to_string()>
                    <Icon shape=Shape::Plus/>
                    "New"
                </a>
            </header>
            <Strip filter only order/>
            <Rows list chosen is_filtered=Signal::derive(move || filter.with(|filter| *filter != InstanceFilter::default()))/>
        </nav>
    }
}

/// Keeps the filter in the address of pages without a query of their own, and reads it from there. An address without
/// parameters of the list leaves the filter unchanged.
fn in_the_address(filter: RwSignal<InstanceFilter>) {
    let page = expect_context::<Memo<Page>>();
    let location = use_location();
    let navigate = use_navigate();
    Effect::new(move || {
        location.search.track();
        if has_the_list(page.get())
            && let Some(asked) = InstanceFilter::parse(|name| location.parameter(name))
            // The address has the words without surrounding white space, which may still be in the field.
            && filter.with_untracked(|filter| filter.path(page.get_untracked()) != asked.path(page.get_untracked()))
        {
            filter.set(asked);
        }
    });
    // Reads the state when the frame is drawn: filter and page may have changed again by then.
    let show = move || {
        let Some(page) = page.try_get_untracked() else { return };
        let Some(path) = filter.try_with_untracked(|filter| filter.path(page)) else { return };
        let shown = format!("{}{}", location.pathname.get_untracked(), location.search.get_untracked());
        if has_the_list(page) && shown != path {
            navigate(&path, NavigateOptions { replace: true, scroll: false });
        }
    };
    Effect::new(move || {
        filter.track();
        page.track();
        request_animation_frame(show);
    });
}

/// Whether the address of a page holds the filter of the list.
const fn has_the_list(page: Page) -> bool {
    matches!(page, Page::Home | Page::Instances)
}

/// The instances in use, or the archived ones, which are fetched only while they are listed.
fn listed(only: Memo<Only>) -> Signal<Fetched<Listed>> {
    let data = state().data;
    let is_archived = Memo::new(move |_| only.get() == Only::Archived);
    let source = Memo::new(move |_| {
        let source: Signal<Fetched<Listed>> = if is_archived.get() { data.archived().into() } else { data.list() };
        source
    });
    Signal::derive(move || source.get().get())
}

#[component]
fn FilterField(filter: RwSignal<InstanceFilter>, words: Memo<String>) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    on_key(move |event| {
        if event.key() == "/"
            && is_shortcut(event)
            && let Some(field) = field.get_untracked()
        {
            event.prevent_default();
            // Fails only if the field is not in the document.
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
                prop:value=words
                on:input=move |event| filter.update(|filter| filter.words = event_target_value(&event))
            />
            <kbd aria-hidden="true">"/"</kbd>
        </div>
    }
}

#[component]
fn Strip(filter: RwSignal<InstanceFilter>, only: Memo<Only>, order: Memo<Order>) -> impl IntoView {
    let counts = state().data.counts();
    let choose = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        let order = Order::ALL.into_iter().find(|order| order.word() == word).unwrap_or_default();
        filter.update(|filter| filter.order = order);
    };
    let button = move |one: Only| {
        let count = Memo::new(move |_| counts.with(|counts| counts.of(one)));
        let is_chosen = move || only.get() == one;
        // Hides the buttons of states that no instance has.
        let is_hidden = move || is_of_health(one) && count.get() == Some(0) && !is_chosen();
        let is_sign = one == Only::Archived;
        view! {
            <button
                class=format!("quiet {}", if is_of_health(one) { "failing" } else { "" })
                type="button"
                hidden=is_hidden
                aria-label=is_sign.then_some(one.word())
                title=is_sign.then_some(one.word())
                aria-pressed=move || is_chosen().to_string()
                on:click=move |_| filter.update(|filter| filter.only = one)
            >
                // Rarely used, and not counted before it is: an icon is enough.
                {is_sign.then(|| view! { <Icon shape=Shape::Box/> })}
                {(!is_sign).then(|| view! { {one.word()} " " {move || count.get().map(words::thousands)} })}
            </button>
        }
    };
    view! {
        <div class="strip" role="group" aria-label="Which instances">
            {Only::ALL.map(button)}
            <select aria-label="Sort by" on:change=choose>
                {Order::ALL
                    .map(|one| {
                        view! {
                            <option value=one.word() selected=move || order.get() == one>
                                {one.words()}
                            </option>
                        }
                    })}
            </select>
        </div>
    }
}

const fn is_of_health(only: Only) -> bool {
    match only {
        Only::Down | Only::Degraded | Only::Unknown => true,
        Only::All | Only::Attention | Only::Building | Only::Archived => false,
    }
}
