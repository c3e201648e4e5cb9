//! The visible lines of the log; follows the end until the reader scrolls up.

use leptos::prelude::*;
use shared_types::LogLevel;

use super::feed::Feed;
use super::row::{self, ROW_PX};
use super::search::Search;
use super::store::{Look, Store};
use crate::ui::window::{Scroll, below, px};
use crate::ui::{Icon, Loading, Shape};

#[component]
pub fn Lines(
    feed: Feed,
    search: Search,
    /// The line that the URL names.
    named: Memo<Option<i64>>,
    /// Whether lines show their times.
    has_times: RwSignal<bool>,
    /// Whether they take the height of the page.
    is_tall: bool,
) -> impl IntoView {
    let Feed { scroll, is_following, .. } = feed;
    let rows = Memo::new(move |_| feed.store.with(Store::rows));
    let range = Memo::new(move |_| scroll.visible(ROW_PX, rows.get()));
    Effect::new(move || feed.need(range.get()));
    follow(scroll, rows, is_following);
    jump(feed, named);
    let look = Memo::new(move |_| Look { named: named.get(), current: search.current(), sought: search.words.get() });
    let drawn = Memo::new(move |_| look.with(|look| feed.store.with(|store| store.draw(range.get(), look))));
    let on_scroll = move |_| {
        let before = scroll.top_untracked();
        scroll.look();
        // Only a reader scrolls up; growth of the log does not stop following its end.
        let is_up = scroll.top_untracked() < before;
        let was_following = is_following.get_untracked();
        let follows = scroll.is_at_end() || (was_following && !is_up);
        if follows != was_following {
            is_following.set(follows);
        }
    };
    let nothing = move || (feed.is_begun() && rows.get() == 0).then(|| nothing_words(feed.level.get()));
    view! {
        <div class="log-frame">
            {move || (!feed.is_begun()).then(|| view! { <Loading/> })}
            {move || nothing().map(|text| view! { <p class="nothing">{text}</p> })}
            <div
                class="log"
                class:tall=is_tall
                class:no-times=move || !has_times.get()
                hidden=move || rows.get() == 0
                node_ref=scroll.node
                on:scroll=on_scroll
                role="log"
                aria-live="off"
                aria-label="Lines of the log"
                tabindex="0"
            >
                <div class="sheet" style:height=move || px(rows.get(), ROW_PX)>
                    <For each=move || drawn.get() key=row::key children=row::row/>
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

const fn nothing_words(level: Option<LogLevel>) -> &'static str {
    if level.is_none() { "(There are currently no entries in this log)" } else { "No line matches." }
}

/// Keeps the end visible while the reader is there.
fn follow(scroll: Scroll, rows: Memo<usize>, is_following: RwSignal<bool>) {
    Effect::new(move || {
        let rows = rows.get();
        is_following.track();
        // The container has its new height only in the next frame; if it shrank, the scroll position may have changed.
        request_animation_frame(move || match is_following.try_get_untracked() {
            Some(true) => scroll.to(below(rows, ROW_PX)),
            Some(false) | None => scroll.look(),
        });
    });
}

/// Scrolls to the line that the URL names, once there is room for it.
fn jump(feed: Feed, named: Memo<Option<i64>>) {
    Effect::new(move |done: Option<Option<i64>>| {
        let done = done.flatten();
        let line = named.get()?;
        if done == Some(line) || !feed.is_begun() || feed.level.get().is_some() {
            return done;
        }
        feed.show(line);
        Some(line)
    });
}
