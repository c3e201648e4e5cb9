//! The hits of a search, and the current one. Pure.

use shared_types::log_entry::LogMatches;

use crate::words;

/// The hits of a search.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    /// The number of all hits; `places` has only the last ones if there are very many.
    count: usize,
    places: Vec<i64>,
    /// The current hit, as an index into `places`.
    current: usize,
}

impl Hits {
    /// The hits, with the first one from this number on as the current one; if there is none, the last.
    pub fn near(found: LogMatches, number: i64) -> Self {
        let last = found.places.len().saturating_sub(1);
        let current = found.places.partition_point(|place| *place < number).min(last);
        Self { count: usize::try_from(found.count).unwrap_or(0), places: found.places, current }
    }

    /// The row number of the current hit.
    pub fn place(&self) -> Option<i64> {
        self.places.get(self.current).copied()
    }

    /// Goes to the next hit; wraps around after the last.
    pub fn forward(&mut self) {
        self.current = if self.current + 1 < self.places.len() { self.current + 1 } else { 0 };
    }

    /// Goes to the previous hit; wraps around before the first.
    pub fn back(&mut self) {
        self.current = self.current.checked_sub(1).unwrap_or_else(|| self.places.len().saturating_sub(1));
    }

    /// The position as text: “3 of 120”.
    pub fn words(&self) -> String {
        if self.places.is_empty() {
            return "No matches".to_owned();
        }
        let number = self.count.saturating_sub(self.places.len()) + self.current + 1;
        format!("{} of {}", words::thousands(number), words::thousands(self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn found(count: i64, places: &[i64]) -> LogMatches {
        LogMatches { count, places: places.to_vec() }
    }

    #[test]
    fn begins_near_where_the_reader_is() {
        let at = |number| Hits::near(found(3, &[10, 20, 30]), number).place();
        assert_eq!([0, 10, 11, 30, 99].map(at), [Some(10), Some(10), Some(20), Some(30), Some(30)]);
        assert_eq!(Hits::near(found(0, &[]), 5).place(), None);
    }

    #[test]
    fn steps_go_round() {
        let mut hits = Hits::near(found(3, &[10, 20, 30]), 20);
        assert_eq!(hits.words(), "2 of 3");
        hits.forward();
        assert_eq!((hits.place(), hits.words().as_str()), (Some(30), "3 of 3"));
        hits.forward();
        assert_eq!((hits.place(), hits.words().as_str()), (Some(10), "1 of 3"));
        hits.back();
        assert_eq!(hits.place(), Some(30));
        let mut none = Hits::near(found(0, &[]), 0);
        none.forward();
        none.back();
        assert_eq!((none.place(), none.words().as_str()), (None, "No matches"));
    }

    #[test]
    fn those_without_a_place_are_counted() {
        let mut hits = Hits::near(found(12_000, &[10, 20]), 10);
        assert_eq!(hits.words(), "11,999 of 12,000");
        hits.forward();
        assert_eq!(hits.words(), "12,000 of 12,000");
    }
}
