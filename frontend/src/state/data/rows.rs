//! The rows of the list of instances: there are thousands, and any of them may change at any moment.
//!
//! Each event names an instance; the rows named within a short interval are fetched together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use leptos::prelude::*;
use shared_types::{Instance, InstanceId, InstanceSummary};

use super::{Data, Fetched, Key, is_waiting};
use crate::api;

/// Rows per request.
const AT_ONCE: usize = 100;

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

/// Which rows are, or may be, out of date.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Rows that events named.
    named: BTreeSet<InstanceId>,
    /// Rows that arrived individually while the whole list, which may be older, was being fetched.
    came: BTreeSet<InstanceId>,
}

impl Data {
    /// Schedules a fetch of the row of an instance that an event named.
    pub fn row_changed(self, id: InstanceId) {
        self.changed.update_value(|changed| {
            changed.named.insert(id);
        });
        self.refresh_soon(Key::Rows);
    }

    /// Stores an instance from the response to a change.
    pub fn take_instance(self, instance: Instance) {
        let id = instance.summary.id;
        self.put_rows(&[id], vec![instance.summary.clone()]);
        if self.is_shown(Key::Instance(id)) {
            self.instances.update(|kept| {
                kept.insert(id, Fetched::Here(Arc::new(instance)));
            });
        }
    }

    /// Updates the rows of these instances; those missing in the response are deleted or archived.
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

    /// Fetches the rows that events named, in batches, until each was requested once: rows that change again and again
    /// do not starve the others.
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

    /// Fetches the whole list. The first time each page is shown as it arrives; later the old list stays until the end.
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

/// Fetches all pages, one after the other.
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
