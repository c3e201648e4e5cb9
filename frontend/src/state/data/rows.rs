//! The rows of the list of instances: there are thousands, and any may change at any moment.
//!
//! An event names an instance; the rows of those that were named within a moment are asked for together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leptos::prelude::*;
use shared_types::{Instance, InstanceId, InstanceSummary};

use super::{Data, Fetched, Key, is_waiting};
use crate::api;

/// How many rows are asked for at once.
const AT_ONCE: usize = 100;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The instance.
    pub summary: InstanceSummary,
    /// Its name and domain in small letters: what it is sorted by, and found by.
    folded: String,
}

impl Row {
    /// The row of an instance.
    pub fn new(summary: InstanceSummary) -> Self {
        let folded = format!("{}\0{}", summary.name, summary.domain).to_lowercase();
        Self { summary, folded }
    }

    /// What it is sorted by.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether all these words are in its name or domain.
    pub fn has(&self, words: &Words) -> bool {
        words.0.iter().all(|word| self.folded.contains(word))
    }
}

/// Words that rows are to have, whatever the case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<String>);

impl Words {
    /// As they were typed.
    pub fn of(typed: &str) -> Self {
        Self(typed.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect())
    }
}

/// The rows by id; shared, so that a change of one copies no other.
pub type Rows = BTreeMap<InstanceId, Arc<Row>>;

/// Which rows are not, or may not be, as the server has them.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Those that events named.
    named: BTreeSet<InstanceId>,
    /// Those that came by themselves while the whole list is on its way, which may be older.
    came: BTreeSet<InstanceId>,
}

impl Data {
    /// An event named an instance: its row is asked for in a moment.
    pub fn row_changed(self, id: InstanceId) {
        self.changed.update_value(|changed| {
            changed.named.insert(id);
        });
        self.refresh_soon(Key::Rows);
    }

    /// Takes in an answer that came by another way than fetching, like that of a change.
    pub fn take_instance(self, instance: Instance) {
        let id = instance.summary.id;
        self.put_rows(&[id], vec![instance.summary.clone()]);
        if self.is_shown(Key::Instance(id)) {
            self.instances.update(|kept| {
                kept.insert(id, Fetched::Here(Arc::new(instance)));
            });
        }
    }

    /// Puts the rows of these instances into the list; those that did not come are gone, or archived.
    pub(super) fn put_rows(self, asked: &[InstanceId], rows: Vec<InstanceSummary>) {
        self.changed.update_value(|changed| changed.came.extend(asked));
        self.list.update(|list| {
            if let Fetched::Here(kept) = list {
                let kept = Arc::make_mut(kept);
                for id in asked {
                    kept.remove(id);
                }
                kept.extend(rows.into_iter().filter(|row| row.archived_at.is_none()).map(keyed));
            }
        });
    }

    /// Fetches the rows that events named, so many at a time, until each has been asked for: none waits for ever behind others
    /// that change again and again.
    pub(super) async fn fetch_rows(self) -> api::Result<()> {
        let named = self.changed.try_update_value(|changed| std::mem::take(&mut changed.named));
        let mut left: Vec<InstanceId> = named.into_iter().flatten().collect();
        while !left.is_empty() {
            let ids = left.split_off(left.len().saturating_sub(AT_ONCE));
            match api::instances::some(&ids).await {
                Ok(page) => self.put_rows(&ids, page.items),
                Err(error) => {
                    self.changed.update_value(|changed| changed.named.extend(left.into_iter().chain(ids)));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Fetches the whole list. At first each page is shown as it comes; later the old list stays until the new one is whole.
    pub(super) async fn fetch_list(self) -> api::Result<()> {
        self.changed.update_value(|changed| changed.came.clear());
        let is_first = self.list.with_untracked(is_waiting);
        let show = |rows: &Rows| {
            if is_first {
                self.list.set(Fetched::Here(Arc::new(rows.clone())));
            }
        };
        match all(false, show).await {
            Ok(rows) => self.list.set(Fetched::Here(Arc::new(rows))),
            Err(error) => {
                if !self.session.ends_by(&error) && is_first {
                    self.list.set(Fetched::Failed(error.clone()));
                }
                return Err(error);
            }
        }
        let came = self.changed.try_update_value(|changed| std::mem::take(&mut changed.came));
        for id in came.into_iter().flatten() {
            self.row_changed(id);
        }
        Ok(())
    }

    pub(super) async fn fetch_archived(self) -> api::Result<()> {
        self.keep(self.archived, (), Key::Archived, all(true, |_| ()).await)
    }
}

/// Every page, one after the other.
async fn all(is_archived: bool, show: impl Fn(&Rows)) -> api::Result<Rows> {
    let mut rows = Rows::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = api::instances::list(is_archived, cursor.as_deref()).await?;
        rows.extend(page.items.into_iter().map(keyed));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(rows);
        }
        show(&rows);
    }
}

fn keyed(summary: InstanceSummary) -> (InstanceId, Arc<Row>) {
    (summary.id, Arc::new(Row::new(summary)))
}

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
