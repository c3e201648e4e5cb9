//! The list of instances in use: there are thousands, and any of them may change at any moment.
//!
//! Each event names an instance; the rows named within a short interval are fetched together.

use std::collections::BTreeSet;
use std::sync::Arc;

use leptos::prelude::*;
use shared_types::{InstanceId, InstanceSummary};

use super::fetched::is_waiting;
use super::{Counts, Data, Fetched, Key, Row, Rows};
use crate::api;

/// Rows per request.
const AT_ONCE: usize = 100;

/// Which rows are, or may be, out of date.
#[derive(Debug, Default)]
pub(super) struct Changed {
    /// Rows that events named.
    named: BTreeSet<InstanceId>,
    /// Rows that arrived individually while the whole list, which may be older, was being fetched.
    came: BTreeSet<InstanceId>,
}

impl Data {
    /// The instances in use.
    pub fn list(self) -> Signal<Fetched<Rows>> {
        self.list.into()
    }

    /// The number of instances in use of each kind.
    pub fn counts(self) -> Memo<Counts> {
        self.counts
    }

    /// Schedules a fetch of the row of an instance that an event named.
    pub fn row_changed(self, id: InstanceId) {
        self.changed.update_value(|changed| {
            changed.named.insert(id);
        });
        self.refresh_soon(Key::Rows);
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
                kept.extend(rows.into_iter().filter(|row| row.archived_at.is_none()).map(Row::keyed));
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
}

/// Fetches all pages, one after the other.
pub(super) async fn all(is_archived: bool, show: impl Fn(&Rows)) -> api::Result<Rows> {
    let mut rows = Rows::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = api::instances::list(is_archived, cursor.as_deref()).await?;
        rows.extend(page.items.into_iter().map(Row::keyed));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(rows);
        }
        show(&rows);
    }
}
