//! The rows of a log that are here, and where each stands. Pure: it fetches and draws nothing.
//!
//! An entry has a slot. In a log numbered without gaps the slot follows from the number, so there is room for entries not
//! fetched yet and the scroll bar is true from the start; in a listed one (filtered, or with gaps) entries just follow each
//! other. An entry takes one row for each line of its text.

use std::ops::Range;

use chrono::{DateTime, Utc};
use shared_types::LogEntry;

use super::classify::Kind;
use crate::api::logs::PAGE;

/// How entries find their slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By their number, 1, 2, 3, …
    Numbered,
    /// One after the other.
    Listed,
}

/// One row: a line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands, from 0.
    pub place: usize,
    /// The entry's number and time, on its first line.
    pub head: Option<(i64, DateTime<Utc>)>,
    /// What it is.
    pub kind: Kind,
    /// Its text; none while it is not fetched.
    pub text: Option<String>,
}

#[derive(Debug)]
struct Entry {
    number: i64,
    created: DateTime<Utc>,
    kind: Kind,
    lines: Vec<String>,
}

/// The rows.
#[derive(Debug)]
pub struct Store {
    mode: Mode,
    slots: Vec<Option<Entry>>,
    /// Entries of several lines: their slot, and how many lines beyond the first all up to and with them have.
    extra: Vec<(usize, usize)>,
}

impl Store {
    /// An empty one.
    pub const fn new(mode: Mode) -> Self {
        Self { mode, slots: Vec::new(), extra: Vec::new() }
    }

    /// How many entries there are, fetched or not.
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.slots.len() + self.extra.last().map_or(0, |(_, lines)| *lines)
    }

    /// The number of the last entry that is here; 0 without one.
    pub fn last_number(&self) -> i64 {
        self.slots.iter().rev().flatten().next().map_or(0, |entry| entry.number)
    }

    /// Makes room up to this number. Only for numbered logs.
    pub fn grow(&mut self, last: i64) {
        let length = usize::try_from(last).unwrap_or(0);
        if self.mode == Mode::Numbered && length > self.slots.len() {
            self.slots.resize_with(length, || None);
        }
    }

    /// Takes entries in. Those of a listed log must follow the ones that are here, or, with `before`, precede them.
    pub fn put(&mut self, entries: Vec<LogEntry>, before: bool) {
        match self.mode {
            Mode::Numbered => {
                for entry in entries.into_iter().map(Entry::from) {
                    self.grow(entry.number);
                    let slot = usize::try_from(entry.number - 1).ok();
                    if let Some(slot) = slot.and_then(|slot| self.slots.get_mut(slot)) {
                        *slot = Some(entry);
                    }
                }
            }
            Mode::Listed => {
                let at = if before { 0 } else { self.slots.len() };
                let entries = entries.into_iter().map(|entry| Some(Entry::from(entry)));
                self.slots.splice(at..at, entries);
            }
        }
        self.count_extra();
    }

    /// The first row of a slot.
    pub fn row_of(&self, slot: usize) -> usize {
        let known = self.extra.partition_point(|(at, _)| *at < slot);
        slot + known.checked_sub(1).and_then(|last| self.extra.get(last)).map_or(0, |(_, lines)| *lines)
    }

    /// The slot that a row belongs to, and which of its lines it is.
    pub fn slot_at(&self, row: usize) -> (usize, usize) {
        let (mut low, mut high) = (0, self.slots.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.row_of(middle) <= row { low = middle + 1 } else { high = middle }
        }
        let slot = low.saturating_sub(1);
        (slot, row.saturating_sub(self.row_of(slot)))
    }

    /// The rows of a range, for drawing.
    pub fn draw(&self, range: Range<usize>) -> Vec<Row> {
        let mut drawn = Vec::with_capacity(range.len());
        let (mut slot, mut line) = self.slot_at(range.start);
        for place in range {
            let Some(entry) = self.slots.get(slot) else { break };
            drawn.push(match entry {
                None => Row { place, head: None, kind: Kind::Plain, text: None },
                Some(entry) => Row {
                    place,
                    head: (line == 0).then_some((entry.number, entry.created)),
                    kind: entry.kind,
                    text: Some(entry.lines.get(line).cloned().unwrap_or_default()),
                },
            });
            let lines = entry.as_ref().map_or(1, |entry| entry.lines.len());
            (slot, line) = if line + 1 < lines { (slot, line + 1) } else { (slot + 1, 0) };
        }
        drawn
    }

    /// After which number to fetch, so that a row of the range that is not here yet comes.
    pub fn missing(&self, range: Range<usize>) -> Option<i64> {
        let (first, last) = (self.slot_at(range.start).0, self.slot_at(range.end.saturating_sub(1)).0);
        let seen = self.slots.get(first..=last)?;
        let missing = first + seen.iter().position(Option::is_none)?;
        // From the page's beginning, so that scrolling up fetches pages and not single rows.
        let page = missing - missing % PAGE;
        let before = self.slots.get(page..missing)?.iter().rev().take_while(|slot| slot.is_none()).count();
        i64::try_from(missing - before).ok()
    }

    fn count_extra(&mut self) {
        let mut sum = 0;
        let lines = self.slots.iter().enumerate().filter_map(|(slot, entry)| Some((slot, entry.as_ref()?.lines.len())));
        self.extra = lines
            .filter(|(_, lines)| *lines > 1)
            .map(|(slot, lines)| {
                sum += lines - 1;
                (slot, sum)
            })
            .collect();
    }
}

impl From<LogEntry> for Entry {
    fn from(entry: LogEntry) -> Self {
        let lines: Vec<String> = entry.text.trim_end_matches(['\n', '\r']).split('\n').map(ToOwned::to_owned).collect();
        Self {
            number: entry.seq.unwrap_or(entry.id.0),
            created: entry.created,
            kind: Kind::of(entry.level, &entry.text),
            lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::{LogEntryId, LogLevel};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn entry(number: i64, text: &str) -> LogEntry {
        LogEntry {
            id: LogEntryId(number),
            seq: Some(number),
            created: DateTime::default(),
            level: LogLevel::Info,
            text: text.into(),
            task: None,
            instance_id: None,
            app_server_id: None,
            server_id: None,
        }
    }

    fn texts(store: &Store, range: Range<usize>) -> Vec<Option<String>> {
        store.draw(range).into_iter().map(|row| row.text).collect()
    }

    #[test]
    fn a_numbered_log_has_room_for_what_is_not_here() {
        let mut store = Store::new(Mode::Numbered);
        store.grow(1_200);
        store.put(vec![entry(1_199, "a"), entry(1_200, "b")], false);
        assert_eq!((store.rows(), store.last_number()), (1_200, 1_200));
        assert_eq!(texts(&store, 1_197..1_200), [None, Some("a".into()), Some("b".into())]);
        assert_eq!(store.missing(1_198..1_200), None);
        assert_eq!(store.missing(1_190..1_200), Some(1_000), "the page's beginning");
        store.put((1_001..=1_100).map(|number| entry(number, "x")).collect(), false);
        assert_eq!(store.missing(1_150..1_200), Some(1_100), "what is here is not fetched again");
    }

    #[test]
    fn an_entry_takes_a_row_a_line() {
        let mut store = Store::new(Mode::Numbered);
        store.put(vec![entry(1, "a"), entry(2, "b\nc\nd\n"), entry(3, "e")], false);
        assert_eq!(store.rows(), 5);
        assert_eq!([0, 1, 2].map(|slot| store.row_of(slot)), [0, 1, 4]);
        assert_eq!([0, 1, 2, 3, 4].map(|row| store.slot_at(row)), [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)]);
        let heads: Vec<bool> = store.draw(0..5).iter().map(|row| row.head.is_some()).collect();
        assert_eq!(heads, [true, true, false, false, true]);
        assert_eq!(texts(&store, 2..4), [Some("c".into()), Some("d".into())]);
    }

    #[test]
    fn a_listed_log_grows_at_both_ends() {
        let mut store = Store::new(Mode::Listed);
        store.put(vec![entry(70, "b"), entry(90, "c")], false);
        store.put(vec![entry(7, "a")], true);
        store.put(vec![entry(95, "d")], false);
        assert_eq!(texts(&store, 0..4), ["a", "b", "c", "d"].map(|text| Some(text.to_owned())));
        assert_eq!(store.last_number(), 95);
        assert_eq!(store.missing(0..4), None);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let store = Store::new(Mode::Numbered);
        assert_eq!(store.draw(0..0), []);
        assert_eq!(store.missing(0..0), None);
        assert_eq!((store.rows(), store.last_number()), (0, 0));
    }
}
