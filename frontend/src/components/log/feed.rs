//! Fetches what the log view needs, one answer at a time: the end first, then what comes into sight, then what is new.

use std::ops::Range;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::row::ROW_PX;
use super::store::{Mode, Store};
use crate::api::logs::{self, Filter, LogOf, PAGE, Place};
use crate::state::{State, state};
use crate::ui::window::{Scroll, below};

/// How many pages of a listed log are shown: the last ones.
const LISTED_PAGES: usize = 4;
/// How many entries those are at most.
pub const LISTED: usize = LISTED_PAGES * PAGE;
/// The wait before asking again after no answer, or after an answer with nothing in it.
const AGAIN_MS: u32 = 1_500;

/// A log's rows and what fetches them.
#[derive(Clone, Copy)]
pub struct Feed {
    of: LogOf,
    filter: Signal<Filter>,
    state: State,
    /// Where the reader is.
    pub scroll: Scroll,
    /// The rows.
    pub store: RwSignal<Store>,
    /// The filter whose first answer is here.
    begun: RwSignal<Option<Filter>>,
    is_fetching: RwSignal<bool>,
    /// Counts filters: an answer for an older one is dropped.
    round: StoredValue<u32>,
}

impl Feed {
    /// The rows of a log that pass the filter; fetched again whenever the filter changes or the log grows.
    pub fn new(of: LogOf, filter: Signal<Filter>) -> Self {
        let feed = Self {
            of,
            filter,
            state: state(),
            scroll: Scroll::watch(),
            store: RwSignal::new(Store::new(Mode::Numbered)),
            begun: RwSignal::new(None),
            is_fetching: RwSignal::new(false),
            round: StoredValue::new(0),
        };
        Effect::new(move || feed.begin(feed.filter.get()));
        feed.follow_news();
        feed
    }

    /// Whether the first answer for the filter as it is now is here.
    pub fn is_begun(self) -> bool {
        self.filter.with(|filter| self.begun.with(|begun| begun.as_ref() == Some(filter)))
    }

    /// Whether only some rows are shown.
    pub fn is_filtered(self) -> bool {
        !self.filter.with(Filter::is_empty)
    }

    fn begin(self, filter: Filter) {
        let is_numbered = matches!(self.of, LogOf::AppServer(_)) && filter.is_empty();
        self.round.update_value(|round| *round += 1);
        self.store.set(Store::new(if is_numbered { Mode::Numbered } else { Mode::Listed }));
        self.begun.set(None);
        self.is_fetching.set(true);
        let round = self.round.get_value();
        spawn_local(async move {
            let pages = if is_numbered { 1 } else { LISTED_PAGES };
            self.fetch_end(&filter, pages, round).await;
            self.done(round);
        });
    }

    /// Fetches the last pages, backwards.
    async fn fetch_end(self, filter: &Filter, pages: usize, round: u32) {
        let mut place = Place::End;
        for _ in 0..pages {
            let Some(entries) = self.ask(place, filter, round).await else { return };
            let (is_last, first) = (entries.len() < PAGE, entries.first().map(|entry| entry.seq.unwrap_or(entry.id.0)));
            self.store.try_update(|store| store.put(entries, true));
            match first {
                Some(first) if !is_last => place = Place::Before(first),
                Some(_) | None => return,
            }
        }
    }

    /// Fetches what a range of rows lacks, unless something is being fetched already.
    pub fn need(self, range: Range<usize>) {
        if self.is_fetching.get() {
            return;
        }
        let Some(after) = self.store.with(|store| store.missing(range)) else { return };
        self.is_fetching.set(true);
        let round = self.round.get_value();
        spawn_local(async move {
            let entries = self.ask(Place::After(after), &Filter::default(), round).await.unwrap_or_default();
            if entries.is_empty() {
                gloo_timers::future::TimeoutFuture::new(AGAIN_MS).await;
            }
            if self.is_current(round) {
                self.put_and_hold(entries);
            }
            self.done(round);
        });
    }

    /// Puts entries in their places. Those of several lines push what is below them down: the reader is moved along.
    fn put_and_hold(self, entries: Vec<shared_types::LogEntry>) {
        let top = self.scroll.top_row(ROW_PX);
        let Some(pushed) = self.store.try_update(|store| {
            let (slot, line) = store.slot_at(top);
            store.put(entries, false);
            (store.row_of(slot) + line).saturating_sub(top)
        }) else {
            return;
        };
        if pushed > 0 {
            let to = self.scroll.top_untracked() + below(pushed, ROW_PX);
            // The sheet has its new height in the next frame.
            request_animation_frame(move || self.scroll.to(to));
        }
    }

    /// Whatever is heard of the log makes room for it (numbered) or fetches it (listed).
    fn follow_news(self) {
        let news = Memo::new(move |_| {
            let live = self.state.live;
            let heard = match self.of {
                LogOf::AppServer(id) => live.log_end(id).unwrap_or_default(),
                LogOf::Instance(id) => i64::from(live.news_of(id)),
            };
            (live.openings(), heard)
        });
        Effect::new(move |before: Option<(u32, i64)>| {
            let (opening, heard) = news.get();
            let Some((last_opening, last_heard)) = before else { return (opening, heard) };
            let is_gap = opening != last_opening;
            let is_numbered = matches!(self.of, LogOf::AppServer(_)) && self.filter.with_untracked(Filter::is_empty);
            if is_numbered && heard != last_heard {
                self.store.update(|store| store.grow(heard));
            }
            if is_gap || !is_numbered {
                self.catch_up();
            }
            (opening, heard)
        });
    }

    /// Fetches what came after the last row that is here.
    fn catch_up(self) {
        let round = self.round.get_value();
        let after = self.store.with_untracked(Store::last_number);
        let filter = self.filter.get_untracked();
        spawn_local(async move {
            let Some(entries) = self.ask(Place::After(after), &filter, round).await else { return };
            self.store.try_update(|store| {
                // Two of these may have been under way: what came meanwhile is not put twice.
                let last = store.last_number();
                let is_new = |entry: &shared_types::LogEntry| entry.seq.unwrap_or(entry.id.0) > last;
                store.put(entries.into_iter().filter(is_new).collect(), false);
            });
        });
    }

    async fn ask(self, place: Place, filter: &Filter, round: u32) -> Option<Vec<shared_types::LogEntry>> {
        match logs::read(self.of, place, filter).await {
            Ok(entries) => self.is_current(round).then_some(entries),
            Err(error) => {
                self.state.session.ends_by(&error);
                None
            }
        }
    }

    fn is_current(self, round: u32) -> bool {
        self.round.try_get_value() == Some(round)
    }

    fn done(self, round: u32) {
        if self.is_current(round) {
            self.begun.set(Some(self.filter.get_untracked()));
            self.is_fetching.set(false);
        }
    }
}
