//! A row of the list of instances, and the words that find it.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_types::{InstanceId, InstanceSummary};

/// An instance in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub summary: InstanceSummary,
    /// Its name and domain in lower case, for sorting and searching.
    folded: String,
}

impl Row {
    pub fn new(summary: InstanceSummary) -> Self {
        let folded = format!("{}\0{}", summary.name, summary.domain).to_lowercase();
        Self { summary, folded }
    }

    /// The row with its key in [`Rows`].
    pub(super) fn keyed(summary: InstanceSummary) -> (InstanceId, Arc<Self>) {
        (summary.id, Arc::new(Self::new(summary)))
    }

    /// The sort key: name and domain in lower case.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether its name or domain contains each of these words.
    pub fn has(&self, words: &Words) -> bool {
        words.0.iter().all(|word| self.folded.contains(word))
    }
}

/// Search words, compared without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// Splits the typed text into words.
    pub fn of(typed: &str) -> Self {
        Self(typed.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect())
    }
}

/// The rows by id; shared, so that changing one does not copy the others.
pub type Rows = BTreeMap<InstanceId, Arc<Row>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_row_is_found_by_words_of_its_name_and_domain() {
        let summary = InstanceSummary {
            name: "École d'Été".into(),
            domain: "ete.example.com".into(),
            ..samples::instance_summary()
        };
        let row = Row::new(summary);
        for found in ["", "école", "ÉTÉ", "example École"] {
            assert!(row.has(&Words::of(found)), "{found}");
        }
        for missed in ["ecole", "école other", "étéete"] {
            assert!(!row.has(&Words::of(missed)), "{missed}");
        }
    }
}
