//! Fetches what the log view needs, one answer at a time: the end first, then what comes into sight, then what is new.

use std::ops::Range;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{LogEntry, LogLevel};

use super::row::ROW_PX;
use super::store::Store;
use crate::api::logs::{self, LogOf, PAGE, Place};
use crate::state::{State, state};
use crate::ui::window::{Scroll, below};

/// The wait before asking again after no answer, or after an answer with nothing in it.
const AGAIN_MS: u32 = 1_500;
/// Rows shown above a row that is jumped to.
const ABOVE: usize = 4;
/// Entries that are fetched around one that is jumped to, on either side.
const AROUND: usize = 40;

/// A log's rows and what fetches them.
#[derive(Clone, Copy)]
pub struct Feed {
    /// Whose log it is.
    pub of: LogOf,
    /// Only this level and those above it; none: all.
    pub level: RwSignal<Option<LogLevel>>,
    state: State,
    /// Where the reader is.
    pub scroll: Scroll,
    /// Whether the end is kept in sight.
    pub is_following: RwSignal<bool>,
    /// The rows.
    pub store: RwSignal<Store>,
    /// How many entries there are before those that are listed.
    pub cut: RwSignal<usize>,
    /// The level whose first answer is here.
    begun: RwSignal<Option<Option<LogLevel>>>,
    is_fetching: RwSignal<bool>,
    /// How far the log is, as was heard.
    heard: StoredValue<i64>,
    is_catching_up: StoredValue<bool>,
    is_behind: StoredValue<bool>,
    /// Counts levels: an answer for an older one is dropped.
    round: StoredValue<u32>,
    /// Counts jumps: only the last one is made.
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

    /// Whether the first answer for the level as it is now is here.
    pub fn is_begun(self) -> bool {
        self.begun.get() == Some(self.level.get())
    }

    /// Whether the number of an entry says where it stands: so it is in the whole log of an app server.
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

    /// Fetches where the rows are, unless that is known, and the last of them.
    async fn fetch_end(self, level: Option<LogLevel>, round: u32) -> Option<()> {
        if !self.is_dense(level) {
            let found = self.answer(logs::matches(self.of, level, "").await, round)?;
            self.cut.set(usize::try_from(found.count).unwrap_or(0).saturating_sub(found.places.len()));
            self.store.set(Store::listed(found.places));
        }
        let entries = self.ask(Place::End, PAGE, round).await?;
        self.store.try_update(|store| store.put(entries))
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

    /// Puts entries in their places. Those of several lines push what is below them down: the reader is moved along.
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
            // The sheet has its new height in the next frame.
            request_animation_frame(move || self.scroll.to(to));
        }
    }

    /// Brings an entry into sight, or the one that stands where it would. What is around it is fetched first: what is not
    /// here has an unknown height.
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
            // The sheet has its new height in the next frame.
            request_animation_frame(move || {
                if self.jumps.try_get_value() == Some(jump) && self.is_current(round) {
                    let row = self.store.with_untracked(|store| store.row_of(slot));
                    self.scroll.to(below(row.saturating_sub(ABOVE), ROW_PX));
                    self.reveal();
                }
            });
        });
    }

    /// The log may be below what is seen of the page, and the hit far to the right in a long line.
    fn reveal(self) {
        self.scroll.reveal();
        request_animation_frame(move || self.scroll.reveal_across(".line.current mark"));
    }

    /// Whatever is heard of the log makes room for it, or fetches it.
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

    /// An app server's whole log has more lines. At the end they are fetched before there is room for them, so that nothing
    /// empty is shown; elsewhere it is enough that there is room.
    fn grow(self, heard: i64) {
        let last = self.store.with_untracked(Store::last_number);
        let page = i64::try_from(PAGE).unwrap_or(i64::MAX);
        if self.is_following.get_untracked() && heard - last <= page {
            self.catch_up(false);
        } else {
            self.store.update(|store| store.grow(heard));
        }
    }

    /// Fetches what came after the last row that is known; after a gap in what was heard, the end.
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
                // What did not come is asked for when there is room for it.
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

    /// An answer, unless it is one for an older level.
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
