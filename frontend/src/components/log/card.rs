//! The log with its toolbar: search, level, options, download.

use leptos::prelude::*;
use shared_types::LogLevel;

use super::feed::Feed;
use super::lines::Lines;
use super::options::{Options, has_times};
use super::search::{Search, SearchField};
use super::store::Store;
use crate::api::logs::LogOf;
use crate::paths;
use crate::ui::{Icon, Shape, use_location};
use crate::words;

#[component]
pub fn LogCard(
    of: LogOf,
    /// Whether it takes the height of the page.
    #[prop(optional)]
    is_tall: bool,
) -> impl IntoView {
    let hash = use_location().hash;
    let named = Memo::new(move |_| paths::line_of(&hash.get()));
    let feed = Feed::new(of, named.get_untracked().is_none());
    let search = Search::new(feed);
    let has_times = RwSignal::new(has_times());
    Effect::new(move || {
        // Links to a line count lines of the unfiltered log: reset the level.
        if named.get().is_some() && feed.level.get_untracked().is_some() {
            feed.level.set(None);
        }
    });
    view! {
        <section class="card" aria-label="Log">
            <header>
                <h2>"Log"</h2>
                <span class="fine">{move || feed.is_begun().then(|| count(feed))}</span>
                <div class="log-tools">
                    <SearchField search/>
                    <Level level=feed.level/>
                    <Options has_times/>
                    <a class="btn quiet" href=of.download() rel="external" download>
                        <Icon shape=Shape::Down/>
                        "Download"
                    </a>
                </div>
            </header>
            <Lines feed search named has_times is_tall/>
        </section>
    }
}

fn count(feed: Feed) -> String {
    let (listed, cut) = (feed.store.with(Store::len), feed.cut.get());
    match (cut, feed.level.get()) {
        (0, None) => words::count(listed, "line"),
        (0, Some(_)) => format!("{} found", words::count(listed, "line")),
        (cut, _) => format!("the last {} of {}", words::thousands(listed), words::count(listed + cut, "line")),
    }
}

#[component]
fn Level(level: RwSignal<Option<LogLevel>>) -> impl IntoView {
    let chosen = move |event: web_sys::Event| {
        let word = event_target_value(&event);
        level.set([LogLevel::Warning, LogLevel::Error].into_iter().find(|level| level.as_str() == word));
    };
    view! {
        <select
            aria-label="Level"
            prop:value=move || level.get().map_or("", LogLevel::as_str)
            on:change=chosen
        >
            <option value="">"All levels"</option>
            <option value=LogLevel::Warning.as_str()>"Warnings and errors"</option>
            <option value=LogLevel::Error.as_str()>"Errors"</option>
        </select>
    }
}
