//! The rows of the list of instances, and answers that came by another way than fetching.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::{Instance, InstanceSummary};

use super::{Data, Fetched, Key, Rows};
use crate::api;

impl Data {
    /// Takes in an answer that came by another way than fetching, like that of a change.
    pub fn take_instance(self, instance: Instance) {
        self.put_row(instance.summary.clone());
        if self.is_shown(Key::Instance(instance.summary.id)) {
            self.instances.update(|kept| {
                kept.insert(instance.summary.id, Fetched::Here(Arc::new(instance)));
            });
        }
    }

    pub(super) fn put_row(self, row: InstanceSummary) {
        self.list.update(|list| {
            if let Fetched::Here(rows) = list {
                let rows = Arc::make_mut(rows);
                // The list is of those in use.
                if row.archived_at.is_some() {
                    rows.remove(&row.id)
                } else {
                    rows.insert(row.id, row)
                };
            }
        });
    }
}

pub(super) async fn all_instances(is_archived: bool) -> api::Result<Rows> {
    let mut rows = Rows::new();
    let mut cursor = None;
    loop {
        let page = api::instances::list(is_archived, cursor.as_deref()).await?;
        rows.extend(page.items.into_iter().map(|row| (row.id, row)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(rows);
        }
    }
}
