//! Coalesces requests to fetch the same thing into few sequential fetches; the last request is always served.

use std::collections::HashMap;
use std::hash::Hash;

/// Which things are being fetched, and which were requested again meanwhile.
#[derive(Debug)]
pub struct Coalesce<K> {
    under_way: HashMap<K, bool>,
}

impl<K> Default for Coalesce<K> {
    fn default() -> Self {
        Self { under_way: HashMap::new() }
    }
}

impl<K: Eq + Hash> Coalesce<K> {
    /// Records a request. True: the caller must start fetching; false: the fetch in progress will run once more.
    pub fn wish(&mut self, key: K) -> bool {
        let mut starts = true;
        self.under_way.entry(key).and_modify(|again| (*again, starts) = (true, false)).or_insert(false);
        starts
    }

    /// A fetch begins: it serves every request so far.
    pub fn begin(&mut self, key: &K) {
        if let Some(again) = self.under_way.get_mut(key) {
            *again = false;
        }
    }

    /// A fetch has ended. True: it was requested again meanwhile, so fetch once more; false: done.
    pub fn end(&mut self, key: &K) -> bool {
        let again = self.under_way.get(key).copied().unwrap_or(false);
        if !again {
            self.under_way.remove(key);
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn wishes_before_a_fetch_are_one_fetch() {
        let mut coalesce = Coalesce::default();
        assert!(coalesce.wish(1));
        assert!(!coalesce.wish(1));
        assert!(coalesce.wish(2), "another thing is fetched beside it");
        coalesce.begin(&1);
        assert!(!coalesce.end(&1));
        assert!(coalesce.wish(1), "afterwards it starts anew");
    }

    #[test]
    fn a_wish_during_a_fetch_is_honoured_after_it() {
        let mut coalesce = Coalesce::default();
        coalesce.wish(1);
        coalesce.begin(&1);
        assert!(!coalesce.wish(1));
        assert!(coalesce.end(&1));
        coalesce.begin(&1);
        assert!(!coalesce.end(&1));
    }
}
