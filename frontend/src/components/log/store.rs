//! The fetched rows of a log and their positions. Pure: it fetches and draws nothing.
//!
//! Each entry has a slot. In a log numbered without gaps the slot follows from the number; otherwise the numbers are
//! listed. So there is room for entries not fetched yet, and the scroll bar is correct from the start. Entries far from
//! the visible ones are evicted. An entry takes one row for each line of its text.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use shared_types::LogEntry;

use super::classify::Kind;
use super::heights::Heights;
use crate::api::logs::PAGE;

/// How many entries are kept around the visible ones.
const KEPT: usize = 4_000;
/// How many bytes of text are kept around the visible entries.
const KEPT_BYTES: usize = 6 << 20;
/// How many entries are kept regardless of their size: they are visible, or nearly.
const NEAR: usize = 100;

/// One row: a line of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The row's index in the log, from 0.
    pub place: usize,
    /// The entry's number and time; only on its first line.
    pub head: Option<(i64, DateTime<Utc>)>,
    pub kind: Kind,
    /// Its text; none if the entry is not loaded.
    pub text: Option<Arc<str>>,
    /// Whether the URL names its entry.
    pub is_named: bool,
    /// Whether its entry is the current hit.
    pub is_current: bool,
    /// The words to highlight; empty without a search.
    pub sought: Arc<str>,
}

/// What affects how entries look: named line, current hit, search words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The entry that the URL names.
    pub named: Option<i64>,
    /// The entry of the current hit.
    pub current: Option<i64>,
    /// The words to highlight; empty without a search.
    pub sought: Arc<str>,
}

#[derive(Debug)]
struct Entry {
    number: i64,
    created: DateTime<Utc>,
    kind: Kind,
    lines: Vec<Arc<str>>,
    bytes: usize,
}

/// The number of each slot.
#[derive(Debug)]
enum Numbers {
    /// 1, 2, 3, … up to this number.
    Dense(usize),
    /// These numbers, in ascending order.
    Listed(Vec<i64>),
}

#[derive(Debug)]
pub struct Store {
    numbers: Numbers,
    entries: BTreeMap<usize, Entry>,
    bytes: usize,
    heights: Heights,
}

impl Store {
    /// An empty store for a log that is numbered without gaps.
    pub fn dense() -> Self {
        Self::of(Numbers::Dense(0))
    }

    /// A store for entries with these numbers, ascending.
    pub fn listed(numbers: Vec<i64>) -> Self {
        Self::of(Numbers::Listed(numbers))
    }

    fn of(numbers: Numbers) -> Self {
        Self { numbers, entries: BTreeMap::new(), bytes: 0, heights: Heights::default() }
    }

    /// The number of entries, loaded or not.
    pub const fn len(&self) -> usize {
        match &self.numbers {
            Numbers::Dense(count) => *count,
            Numbers::Listed(numbers) => numbers.len(),
        }
    }

    /// The number of rows, loaded or not.
    pub fn rows(&self) -> usize {
        self.heights.before(self.len())
    }

    /// The number of the last entry, loaded or not; 0 without one.
    pub fn last_number(&self) -> i64 {
        self.number_before(self.len())
    }

    /// Makes room up to this number. Only for logs numbered without gaps.
    pub fn grow(&mut self, last: i64) {
        if let Numbers::Dense(count) = &mut self.numbers {
            *count = (*count).max(usize::try_from(last).unwrap_or(0));
        }
    }

    /// Stores entries in the slots of their numbers. New numbers extend the log.
    pub fn put(&mut self, entries: Vec<LogEntry>) {
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().map(Entry::from) {
            let Some(slot) = self.slot_for(entry.number) else { continue };
            rows.push((slot, entry.lines.len()));
            self.bytes += entry.bytes;
            if let Some(before) = self.entries.insert(slot, entry) {
                self.bytes = self.bytes.saturating_sub(before.bytes);
            }
        }
        self.heights.set(rows.into_iter());
    }

    /// Evicts entries far from this slot if there are too many.
    pub fn forget_far(&mut self, slot: usize) {
        let mut radius = KEPT / 2;
        while self.entries.len() > KEPT + PAGE || (self.bytes > KEPT_BYTES && radius >= NEAR) {
            self.entries.retain(|at, _| at.abs_diff(slot) <= radius);
            self.bytes = self.entries.values().map(|entry| entry.bytes).sum();
            radius /= 2;
        }
    }

    /// The slot of the entry with this number, or where it would be.
    pub fn slot_near(&self, number: i64) -> usize {
        let slot = match &self.numbers {
            Numbers::Dense(_) => usize::try_from(number - 1).unwrap_or(0),
            Numbers::Listed(numbers) => numbers.partition_point(|listed| *listed < number),
        };
        slot.min(self.len().saturating_sub(1))
    }

    /// The number of the entry before a slot; 0 before the first.
    pub fn number_before(&self, slot: usize) -> i64 {
        match &self.numbers {
            Numbers::Dense(count) => i64::try_from(slot.min(*count)).unwrap_or(0),
            Numbers::Listed(numbers) => slot.checked_sub(1).and_then(|at| numbers.get(at)).copied().unwrap_or(0),
        }
    }

    /// The first row of a slot.
    pub fn row_of(&self, slot: usize) -> usize {
        self.heights.before(slot)
    }

    /// The slot that a row belongs to, and the index of its line.
    pub fn slot_at(&self, row: usize) -> (usize, usize) {
        self.heights.slot_at(row, self.len())
    }

    /// The rows of a range, for drawing.
    pub fn draw(&self, range: Range<usize>, look: &Look) -> Vec<Row> {
        let mut drawn = Vec::with_capacity(range.len());
        let (mut slot, mut line) = self.slot_at(range.start);
        for place in range.start..range.end.min(self.rows()) {
            let number = Some(self.number_before(slot + 1));
            let entry = self.entries.get(&slot);
            drawn.push(Row {
                place,
                head: entry.filter(|_| line == 0).map(|entry| (entry.number, entry.created)),
                kind: entry.map_or(Kind::Plain, |entry| entry.kind),
                text: entry.map(|entry| entry.lines.get(line).cloned().unwrap_or_default()),
                is_named: look.named == number,
                is_current: look.current == number,
                sought: look.sought.clone(),
            });
            (slot, line) = if line + 1 < self.heights.of(slot) { (slot, line + 1) } else { (slot + 1, 0) };
        }
        drawn
    }

    /// The number after which to fetch in order to load the first missing row of the range.
    pub fn missing(&self, range: Range<usize>) -> Option<i64> {
        if range.is_empty() || self.len() == 0 {
            return None;
        }
        let (first, last) = (self.slot_at(range.start).0, self.slot_at(range.end - 1).0);
        let missing = self.first_missing(first..last + 1)?;
        // From the start of the page, so that scrolling up fetches pages and not single rows.
        let page = missing - missing % PAGE;
        let before = (page..missing).rev().take_while(|slot| !self.entries.contains_key(slot)).count();
        Some(self.number_before(missing - before))
    }

    /// The first of these slots whose entry is not loaded.
    pub fn first_missing(&self, slots: Range<usize>) -> Option<usize> {
        (slots.start..slots.end.min(self.len())).find(|slot| !self.entries.contains_key(slot))
    }

    fn slot_for(&mut self, number: i64) -> Option<usize> {
        match &mut self.numbers {
            Numbers::Dense(_) => {
                self.grow(number);
                usize::try_from(number - 1).ok()
            }
            Numbers::Listed(numbers) => {
                if numbers.last().is_none_or(|last| *last < number) {
                    numbers.push(number);
                    return Some(numbers.len() - 1);
                }
                numbers.binary_search(&number).ok()
            }
        }
    }
}

impl From<LogEntry> for Entry {
    fn from(entry: LogEntry) -> Self {
        Self {
            number: number(&entry),
            created: entry.created,
            kind: Kind::of(entry.level, &entry.text),
            lines: lines(&entry.text).map(Into::into).collect(),
            bytes: entry.text.len(),
        }
    }
}

/// The number of an entry within its log.
pub fn number(entry: &LogEntry) -> i64 {
    entry.seq.unwrap_or(entry.id.0)
}

/// The lines of an entry's text.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_end_matches(['\n', '\r']).split('\n')
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
