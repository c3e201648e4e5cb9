//! The log with its tools: search, level, download; follows the end until the reader scrolls up.

use leptos::prelude::*;
use shared_types::LogLevel;

use super::feed::{self, Feed};
use super::row::{LogRow, ROW_PX};
use crate::api::logs::{Filter, LogOf};
use crate::paths;
use crate::ui::window::{Scroll, below, px};
use crate::ui::{Icon, Loading, Shape, use_location};
use crate::words;

/// The wait after a key before the search begins.
const TYPING_MS: u64 = 250;
/// Rows shown above a line that was jumped to.
const ABOVE: usize = 4;

/// The log.
#[component]
pub fn LogCard(
    /// Whose.
    of: LogOf,
    /// Whether it takes the height of the page.
    #[prop(optional)]
    is_tall: bool,
) -> impl IntoView {
    let filter = RwSignal::new(Filter::default());
    let feed = Feed::new(of, filter.into());
    let named = named_line();
    Effect::new(move || {
        // A link to a line is to the whole log.
        if named.get().is_some() && !filter.with_untracked(Filter::is_empty) {
            filter.set(Filter::default());
        }
    });
    let count = move || {
        let count = feed.store.with(super::store::Store::len);
        match (filter.with(Filter::is_empty), count < feed::LISTED) {
            (true, _) => words::count(count, "line"),
            (false, true) => format!("{} found", words::count(count, "line")),
            (false, false) => format!("the last {} found", words::count(count, "line")),
        }
    };
    view! {
        <section class="card" aria-label="Log">
            <header>
                <h2>"Log"</h2>
                <span class="fine">{move || feed.is_begun().then(count)}</span>
                <div class="log-tools">
                    <Tools filter/>
                    <a class="btn quiet" href=of.download() rel="external" download>
                        <Icon shape=Shape::Down/>
                        "Download"
                    </a>
                </div>
            </header>
            <Lines of feed filter named is_tall/>
        </section>
    }
}

/// The line that the URL names.
fn named_line() -> Memo<Option<i64>> {
    let hash = use_location().hash;
    Memo::new(move |_| paths::line_of(&hash.get()))
}

#[component]
fn Tools(filter: RwSignal<Filter>) -> impl IntoView {
    let search =
        leptos::leptos_dom::helpers::debounce(std::time::Duration::from_millis(TYPING_MS), move |words: String| {
            filter.update(|filter| filter.words = words.trim().to_owned());
        });
    let search = StoredValue::new_local(search);
    let level = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        let level = [LogLevel::Warning, LogLevel::Error].into_iter().find(|level| level.as_str() == word);
        filter.update(|filter| filter.level = level);
    };
    let field = NodeRef::<leptos::html::Input>::new();
    Effect::new(move || {
        if filter.with(Filter::is_empty)
            && let Some(field) = field.get_untracked()
        {
            field.set_value("");
        }
    });
    view! {
        <input
            node_ref=field
            type="search"
            placeholder="Search"
            aria-label="Search the log"
            maxlength="200"
            on:input=move |event| search.update_value(|search| search(event_target_value(&event)))
        />
        <select
            aria-label="Level"
            prop:value=move || filter.with(|filter| filter.level.map_or("", LogLevel::as_str))
            on:change=level
        >
            <option value="">"All levels"</option>
            <option value=LogLevel::Warning.as_str()>"Warnings and errors"</option>
            <option value=LogLevel::Error.as_str()>"Errors"</option>
        </select>
    }
}

#[component]
fn Lines(of: LogOf, feed: Feed, filter: RwSignal<Filter>, named: Memo<Option<i64>>, is_tall: bool) -> impl IntoView {
    let scroll = feed.scroll;
    let is_following = RwSignal::new(named.get_untracked().is_none());
    let rows = Memo::new(move |_| feed.store.with(super::store::Store::rows));
    let range = Memo::new(move |_| scroll.visible(ROW_PX, rows.get()));
    Effect::new(move || feed.need(range.get()));
    follow(scroll, rows, is_following);
    jump(feed, named, is_following);
    let drawn = Memo::new(move |_| feed.store.with(|store| store.draw(range.get())));
    let is_numbered = matches!(of, LogOf::AppServer(_));
    let on_scroll = move |_| {
        let before = scroll.top_untracked();
        scroll.look();
        // Only a reader scrolls up; a log that grows pushes nobody away from its end.
        let is_up = scroll.top_untracked() < before;
        is_following.set(scroll.is_at_end() || (is_following.get_untracked() && !is_up));
    };
    let nothing = move || (feed.is_begun() && rows.get() == 0).then(|| filter.with(nothing_words));
    view! {
        <div class="log-frame">
            {move || (!feed.is_begun()).then(|| view! { <Loading/> })}
            {move || nothing().map(|text| view! { <p class="nothing">{text}</p> })}
            <div
                class="log"
                class:tall=is_tall
                hidden=move || rows.get() == 0
                node_ref=scroll.node
                on:scroll=on_scroll
                role="log"
                aria-live="off"
                aria-label="Lines of the log"
                tabindex="0"
            >
                <div class="sheet" style:height=move || px(rows.get(), ROW_PX)>
                    <For
                        each=move || drawn.get()
                        key=|row| (row.place, row.head.map(|head| head.0), row.text.is_some())
                        let:row
                    >
                        <LogRow row is_numbered named/>
                    </For>
                </div>
            </div>
            <Show when=move || !is_following.get() && rows.get() != 0>
                <button class="to-end" type="button" on:click=move |_| is_following.set(true)>
                    <Icon shape=Shape::Down/>
                    "Jump to end"
                </button>
            </Show>
        </div>
    }
}

fn nothing_words(filter: &Filter) -> &'static str {
    if filter.is_empty() { "(There are currently no entries in this log)" } else { "No line matches." }
}

/// Keeps the end in sight while the reader is there.
fn follow(scroll: Scroll, rows: Memo<usize>, is_following: RwSignal<bool>) {
    Effect::new(move || {
        let rows = rows.get();
        is_following.track();
        // The sheet has its new height in the next frame; a shorter one may have moved the window.
        request_animation_frame(move || match is_following.try_get_untracked() {
            Some(true) => scroll.to(below(rows, ROW_PX)),
            Some(false) | None => scroll.look(),
        });
    });
}

/// Shows the line that the URL names, once there is room for it.
fn jump(feed: Feed, named: Memo<Option<i64>>, is_following: RwSignal<bool>) {
    let scroll = feed.scroll;
    Effect::new(move |done: Option<Option<i64>>| {
        let done = done.flatten();
        let line = named.get()?;
        if done == Some(line) || !feed.is_begun() || feed.is_filtered() {
            return done;
        }
        let row = feed.store.with_untracked(|store| store.row_of(usize::try_from(line - 1).unwrap_or(0)));
        let is_in_sight = scroll.sees(row, ROW_PX);
        if !is_in_sight {
            is_following.set(false);
            request_animation_frame(move || scroll.to(below(row.saturating_sub(ABOVE), ROW_PX)));
        }
        Some(line)
    });
}
