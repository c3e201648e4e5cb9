//! Fetches what the log view needs, one request at a time: first the end, then the visible rows, then new rows.

use std::ops::Range;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{LogEntry, LogLevel};

use super::row::ROW_PX;
use super::store::Store;
use crate::api::logs::{self, LogOf, PAGE, Place};
use crate::state::{State, state};
use crate::ui::window::{Scroll, below};

/// The wait before a retry after an error or an empty response.
const AGAIN_MS: u32 = 1_500;
/// Rows shown above a row that is jumped to.
const ABOVE: usize = 4;
/// Entries fetched on either side of an entry that is jumped to.
const AROUND: usize = 40;

/// A log's rows and what fetches them.
#[derive(Clone, Copy)]
pub struct Feed {
    pub of: LogOf,
    /// Only this level and above; without one, all levels.
    pub level: RwSignal<Option<LogLevel>>,
    state: State,
    /// The reader's scroll position.
    pub scroll: Scroll,
    /// Whether to keep the end visible while the log grows.
    pub is_following: RwSignal<bool>,
    pub store: RwSignal<Store>,
    /// The number of matching entries before the listed ones.
    pub cut: RwSignal<usize>,
    /// The level whose first response has arrived.
    begun: RwSignal<Option<Option<LogLevel>>>,
    is_fetching: RwSignal<bool>,
    /// The highest row number (app server) or the event count (instance) heard of.
    heard: StoredValue<i64>,
    is_catching_up: StoredValue<bool>,
    is_behind: StoredValue<bool>,
    /// Counts changes of the level: responses for an earlier level are dropped.
    round: StoredValue<u32>,
    /// Counts jumps: only the latest one is executed.
    jumps: StoredValue<u32>,
}

impl Feed {
    /// The rows of a log; fetched again whenever the level changes or the log grows.
    pub fn new(of: LogOf, is_following: bool) -> Self {
        let feed = Self {
            of,
            level: RwSignal::new(None),
            state: state(),
            scroll: Scroll::watch(),
            is_following: RwSignal::new(is_following),
            store: RwSignal::new(Store::dense()),
            cut: RwSignal::new(0),
            begun: RwSignal::new(None),
            is_fetching: RwSignal::new(false),
            heard: StoredValue::new(0),
            is_catching_up: StoredValue::new(false),
            is_behind: StoredValue::new(false),
            round: StoredValue::new(0),
            jumps: StoredValue::new(0),
        };
        Effect::new(move || feed.begin(feed.level.get()));
        feed.follow_news();
        feed
    }

    /// Whether the first response for the current level has arrived.
    pub fn is_begun(self) -> bool {
        self.begun.get() == Some(self.level.get())
    }

    /// Whether rows are numbered without gaps: true for the unfiltered log of an app server.
    fn is_dense(self, level: Option<LogLevel>) -> bool {
        matches!(self.of, LogOf::AppServer(_)) && level.is_none()
    }

    fn begin(self, level: Option<LogLevel>) {
        self.round.update_value(|round| *round += 1);
        self.store.set(Store::dense());
        self.cut.set(0);
        self.begun.set(None);
        self.is_fetching.set(true);
        self.is_catching_up.set_value(false);
        let round = self.round.get_value();
        spawn_local(async move {
            while self.is_current(round) {
                if self.fetch_end(level, round).await.is_some() {
                    self.done(round);
                    return;
                }
                gloo_timers::future::TimeoutFuture::new(AGAIN_MS).await;
            }
        });
    }

    /// Fetches the numbers of the matching rows, unless they have no gaps, and the last rows.
    async fn fetch_end(self, level: Option<LogLevel>, round: u32) -> Option<()> {
        if !self.is_dense(level) {
            let found = self.answer(logs::matches(self.of, level, "").await, round)?;
            self.cut.set(usize::try_from(found.count).unwrap_or(0).saturating_sub(found.places.len()));
            self.store.set(Store::listed(found.places));
        }
        let entries = self.ask(Place::End, PAGE, round).await?;
        self.store.try_update(|store| store.put(entries))
    }

    /// Fetches the missing rows of a range, unless a fetch is already in progress.
    pub fn need(self, range: Range<usize>) {
        if self.is_fetching.get() {
            return;
        }
        let Some(after) = self.store.with(|store| store.missing(range)) else { return };
        self.is_fetching.set(true);
        let round = self.round.get_value();
        spawn_local(async move {
            let entries = self.ask(Place::After(after), PAGE, round).await.unwrap_or_default();
            if entries.is_empty() {
                gloo_timers::future::TimeoutFuture::new(AGAIN_MS).await;
            }
            if self.is_current(round) {
                self.put_and_hold(entries);
            }
            self.done(round);
        });
    }

    /// Stores entries. Multi-line entries push later rows down: the scroll position is adjusted accordingly.
    fn put_and_hold(self, entries: Vec<LogEntry>) {
        let top = self.scroll.top_row(ROW_PX);
        let Some(pushed) = self.store.try_update(|store| {
            let (slot, line) = store.slot_at(top);
            store.put(entries);
            store.forget_far(slot);
            (store.row_of(slot) + line).saturating_sub(top)
        }) else {
            return;
        };
        if pushed > 0 {
            let to = self.scroll.top_untracked() + below(pushed, ROW_PX);
            // The container has its new height only in the next frame.
            request_animation_frame(move || self.scroll.to(to));
        }
    }

    /// Scrolls to an entry, or to the position where it would be. Fetches the entries around it first, because the
    /// height of missing entries is unknown.
    pub fn show(self, number: i64) {
        let slot = self.store.with_untracked(|store| store.slot_near(number));
        let around = slot.saturating_sub(AROUND)..slot + AROUND;
        let (row, missing) =
            self.store.with_untracked(|store| (store.row_of(slot), store.first_missing(around.clone())));
        if missing.is_none() && self.scroll.sees(row, ROW_PX) {
            return self.reveal();
        }
        self.is_following.set(false);
        self.jumps.update_value(|jumps| *jumps += 1);
        let (round, jump) = (self.round.get_value(), self.jumps.get_value());
        spawn_local(async move {
            if missing.is_some() {
                let after = self.store.with_untracked(|store| store.number_before(around.start));
                let Some(entries) = self.ask(Place::After(after), 2 * AROUND, round).await else { return };
                self.store.try_update(|store| {
                    store.put(entries);
                    store.forget_far(slot);
                });
            }
            // The container has its new height only in the next frame.
            request_animation_frame(move || {
                if self.jumps.try_get_value() == Some(jump) && self.is_current(round) {
                    let row = self.store.with_untracked(|store| store.row_of(slot));
                    self.scroll.to(below(row.saturating_sub(ABOVE), ROW_PX));
                    self.reveal();
                }
            });
        });
    }

    /// Scrolls page and line: the log may be below the visible part, and the hit far to the right in a long line.
    fn reveal(self) {
        self.scroll.reveal();
        request_animation_frame(move || self.scroll.reveal_across(".line.current mark"));
    }

    /// Follows events about the log: makes room for new rows, or fetches them.
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
            self.heard.set_value(heard);
            let Some((last_opening, _)) = before else { return (opening, heard) };
            if opening == last_opening && self.is_dense(self.level.get_untracked()) {
                self.grow(heard);
            } else {
                self.catch_up(opening != last_opening);
            }
            (opening, heard)
        });
    }

    /// Extends the unfiltered log of an app server. At the end, new rows are fetched before there is room for them, so
    /// that no blank rows are shown; elsewhere making room is enough.
    fn grow(self, heard: i64) {
        let last = self.store.with_untracked(Store::last_number);
        let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
        if self.is_following.get_untracked() && heard - last <= page {
            self.catch_up(false);
        } else {
            self.store.update(|store| store.grow(heard));
        }
    }

    /// Fetches the rows after the last known one; after a gap in the events, those at the end.
    fn catch_up(self, is_gap: bool) {
        self.is_behind.set_value(true);
        if self.is_catching_up.get_value() {
            return;
        }
        self.is_catching_up.set_value(true);
        let round = self.round.get_value();
        let level = self.level.get_untracked();
        let is_at_end = is_gap && self.is_dense(level);
        spawn_local(async move {
            while self.is_current(round) && self.is_behind.get_value() {
                self.is_behind.set_value(false);
                let place = match self.store.with_untracked(Store::last_number) {
                    _ if is_at_end => Place::End,
                    last => Place::After(last),
                };
                let Some(entries) = self.ask(place, PAGE, round).await else { break };
                let is_full = entries.len() == PAGE;
                if !entries.is_empty() {
                    self.put_and_hold(entries);
                }
                if is_full && !is_at_end {
                    self.is_behind.set_value(true);
                }
            }
            if self.is_current(round) {
                self.is_catching_up.set_value(false);
                // Makes room for rows that have not arrived: they are fetched when they become visible.
                if self.is_dense(level) {
                    let heard = self.heard.get_value();
                    if self.store.with_untracked(Store::last_number) < heard {
                        self.store.update(|store| store.grow(heard));
                    }
                }
            }
        });
    }

    async fn ask(self, place: Place, limit: usize, round: u32) -> Option<Vec<LogEntry>> {
        let level = self.level.try_get_untracked()?;
        self.answer(logs::read(self.of, place, level, limit).await, round)
    }

    /// Unwraps a response; `None` for errors and for responses to an earlier level.
    fn answer<T>(self, answer: crate::api::Result<T>, round: u32) -> Option<T> {
        match answer {
            Ok(answer) => self.is_current(round).then_some(answer),
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
            self.begun.set(Some(self.level.get_untracked()));
            self.is_fetching.set(false);
        }
    }
}
