//! Searches the whole log on the server and steps through the hits. The log stays visible.

use std::sync::Arc;
use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::leptos_dom::helpers::debounce;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::feed::Feed;
use super::hits::Hits;
use super::row::ROW_PX;
use super::store::Store;
use crate::api::logs;
use crate::state::{State, state};
use crate::ui::{Icon, Shape};

/// The debounce after a key, or after growth of the log, before the server is asked.
const WAIT: Duration = Duration::from_millis(250);

/// The search words and their hits.
#[derive(Clone, Copy)]
pub struct Search {
    feed: Feed,
    state: State,
    /// The words; empty if no search is active.
    pub words: RwSignal<Arc<str>>,
    /// The hits; none until the response has arrived.
    hits: RwSignal<Option<Hits>>,
    /// Counts requests: responses to an earlier one are dropped.
    round: StoredValue<u32>,
}

impl Search {
    /// A search without words yet.
    pub fn new(feed: Feed) -> Self {
        let search = Self {
            feed,
            state: state(),
            words: RwSignal::new("".into()),
            hits: RwSignal::new(None),
            round: StoredValue::new(0),
        };
        Effect::new(move || {
            search.words.track();
            feed.level.track();
            search.hits.set(None);
            search.ask(false);
        });
        let grown = Memo::new(move |_| feed.store.with(Store::last_number));
        let again = StoredValue::new_local(debounce(WAIT, move |()| search.ask(true)));
        Effect::new(move |before: Option<i64>| {
            let last = grown.get();
            if before.is_some_and(|before| before != last) && search.hits.with_untracked(Option::is_some) {
                again.update_value(|again| again(()));
            }
            last
        });
        search
    }

    /// The row number of the current hit.
    pub fn current(self) -> Option<i64> {
        self.hits.with(|hits| hits.as_ref().and_then(Hits::place))
    }

    /// Searches for other words; blank ends the search.
    fn look_for(self, words: &str) {
        let words: Arc<str> = words.trim().into();
        // Gone if the log was left before the debounced call.
        if self.words.try_get_untracked().is_some_and(|last| last != words) {
            self.words.set(words);
        }
    }

    /// Requests the hits. `is_again`: the log has grown, so keep the current hit instead of jumping.
    fn ask(self, is_again: bool) {
        let Some(words) = self.words.try_get_untracked() else { return };
        self.round.update_value(|round| *round += 1);
        if words.is_empty() {
            return;
        }
        let (round, level) = (self.round.get_value(), self.feed.level.get_untracked());
        spawn_local(async move {
            let found = match logs::matches(self.feed.of, level, &words).await {
                Ok(found) => found,
                Err(error) => {
                    self.state.session.ends_by(&error);
                    return;
                }
            };
            if self.round.try_get_value() != Some(round) {
                return;
            }
            let current = self.hits.with_untracked(|hits| hits.as_ref().and_then(Hits::place));
            let near = current.filter(|_| is_again).unwrap_or_else(|| self.top_number());
            self.hits.set(Some(Hits::near(found, near)));
            if !is_again {
                self.show();
            }
        });
    }

    /// The number of the first visible entry.
    fn top_number(self) -> i64 {
        let top = self.feed.scroll.top_row(ROW_PX);
        self.feed.store.with_untracked(|store| store.number_before(store.slot_at(top).0 + 1))
    }

    fn step(self, step: fn(&mut Hits)) {
        self.hits.update(|hits| hits.iter_mut().for_each(step));
        self.show();
    }

    fn show(self) {
        if let Some(place) = self.hits.with_untracked(|hits| hits.as_ref().and_then(Hits::place)) {
            self.feed.show(place);
        }
    }
}

/// The search field, the number of hits, and the buttons to step.
#[component]
pub fn SearchField(
    /// The search that the field controls.
    search: Search,
) -> impl IntoView {
    let is_none = move || search.hits.with(|hits| hits.as_ref().is_none_or(|hits| hits.place().is_none()));
    let count = move || search.hits.with(|hits| hits.as_ref().map(Hits::words));
    view! {
        <div class="log-search" role="search">
            <WordsInput search/>
            <span class="fine" role="status">{count}</span>
            <button
                class="quiet"
                type="button"
                aria-label="Previous match"
                title="Previous match (Shift-Enter)"
                hidden=is_none
                on:click=move |_| search.step(Hits::back)
            >
                <Icon shape=Shape::Above/>
            </button>
            <button
                class="quiet"
                type="button"
                aria-label="Next match"
                title="Next match (Enter)"
                hidden=is_none
                on:click=move |_| search.step(Hits::forward)
            >
                <Icon shape=Shape::Below/>
            </button>
        </div>
    }
}

/// The input: Enter and Shift-Enter step through the hits, Escape ends the search.
#[component]
fn WordsInput(search: Search) -> impl IntoView {
    let field = NodeRef::<leptos::html::Input>::new();
    let typed = StoredValue::new_local(debounce(WAIT, move |words: String| search.look_for(&words)));
    let pressed = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            search.step(if event.shift_key() { Hits::back } else { Hits::forward });
        }
        "Escape" => {
            event.prevent_default();
            if let Some(field) = field.get_untracked() {
                field.set_value("");
            }
            search.look_for("");
        }
        _ => {}
    };
    view! {
        <input
            node_ref=field
            type="search"
            placeholder="Search"
            aria-label="Search the log"
            maxlength="200"
            on:input=move |event| typed.update_value(|typed| typed(event_target_value(&event)))
            on:keydown=pressed
        />
    }
}
