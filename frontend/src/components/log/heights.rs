//! The number of rows per entry: most take one, so only the others are stored. Counts are kept after an entry is
//! evicted, so that rows which were seen do not move.

use std::collections::BTreeMap;

/// The entries that take several rows.
#[derive(Debug, Default)]
pub struct Heights {
    /// By slot: the rows beyond the first.
    extra: BTreeMap<usize, usize>,
    /// By slot: the cumulative number of extra rows up to and including it.
    sums: Vec<(usize, usize)>,
}

impl Heights {
    /// Records how many rows some slots take.
    pub fn set(&mut self, rows: impl Iterator<Item = (usize, usize)>) {
        let mut is_changed = false;
        for (slot, rows) in rows {
            let before = match rows.checked_sub(1) {
                None | Some(0) => self.extra.remove(&slot),
                Some(extra) => self.extra.insert(slot, extra),
            };
            is_changed |= before.map_or(1, |before| before + 1) != rows;
        }
        if is_changed {
            let mut sum = 0;
            let summed = self.extra.iter().map(|(slot, extra)| {
                sum += extra;
                (*slot, sum)
            });
            self.sums = summed.collect();
        }
    }

    /// How many rows a slot takes.
    pub fn of(&self, slot: usize) -> usize {
        self.extra.get(&slot).map_or(1, |extra| extra + 1)
    }

    /// The total number of rows of the slots before this one.
    pub fn before(&self, slot: usize) -> usize {
        let known = self.sums.partition_point(|(at, _)| *at < slot);
        slot + known.checked_sub(1).and_then(|last| self.sums.get(last)).map_or(0, |(_, sum)| *sum)
    }

    /// The slot (of `slots`) that a row belongs to, and the row's index within it.
    pub fn slot_at(&self, row: usize, slots: usize) -> (usize, usize) {
        let (mut low, mut high) = (0, slots);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.before(middle) <= row { low = middle + 1 } else { high = middle }
        }
        let slot = low.saturating_sub(1);
        (slot, row.saturating_sub(self.before(slot)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn rows_and_slots_are_found_from_each_other() {
        let mut heights = Heights::default();
        heights.set([(1, 3), (2, 1), (4, 2)].into_iter());
        assert_eq!([0, 1, 2, 3, 4, 5].map(|slot| heights.before(slot)), [0, 1, 4, 5, 6, 8]);
        assert_eq!([0, 1, 3, 4, 7].map(|row| heights.slot_at(row, 5)), [(0, 0), (1, 0), (1, 2), (2, 0), (4, 1)]);
        assert_eq!(heights.slot_at(100, 5), (4, 94), "beyond the end");
        assert_eq!(heights.slot_at(0, 0), (0, 0));
        heights.set([(1, 1), (4, 5)].into_iter());
        assert_eq!((heights.of(1), heights.of(4), heights.before(5)), (1, 5, 9));
    }
}
