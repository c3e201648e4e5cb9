//! The audit trail. Entries never change and are only added at the top, so known entries are not fetched again.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::Page;
use shared_types::audit::Activity;

use super::{Data, Fetched, Key};
use crate::api;
use crate::paths::ActivityFilter;

/// Entries of the audit trail, at least as many as were requested.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activities {
    /// The filter that the rows match.
    pub filter: ActivityFilter,
    /// The entries, newest first.
    pub rows: Vec<Arc<Activity>>,
    /// The cursor of the next (older) page; none at the end.
    next: Option<String>,
}

impl Activities {
    /// Whether older entries can be fetched.
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// Merges the newest page. If there is a gap between it and the known rows, it replaces them.
    fn take_newest(&mut self, page: Page<Activity>) {
        let newest = self.rows.first().map(|row| row.id);
        let known = page.items.iter().position(|one| Some(one.id) == newest);
        let count = known.unwrap_or(page.items.len());
        let mut rows: Vec<_> = page.items.into_iter().take(count).map(Arc::new).collect();
        if known.is_some() {
            rows.append(&mut self.rows);
        } else {
            self.next = page.next_cursor;
        }
        self.rows = rows;
    }

    fn take_older(&mut self, page: Page<Activity>) {
        self.rows.extend(page.items.into_iter().map(Arc::new));
        self.next = page.next_cursor;
    }
}

impl Data {
    /// The entries that [`want_activities`](Self::want_activities) selected, kept up to date while the calling view is
    /// shown. Polled: not every audited action sends an event.
    pub fn activities(self) -> Memo<Fetched<Activities>> {
        self.poll(Key::Activity);
        self.show(self.activities, (), Key::Activity, move || self.fetch_activities())
    }

    /// Selects the entries to list, and how many to fetch at least.
    pub fn want_activities(self, filter: ActivityFilter, rows: usize) {
        self.wanted_activities.set_value((filter, rows));
        self.refresh(Key::Activity);
    }

    async fn fetch_activities(self) -> api::Result<()> {
        let (filter, wanted) = self.wanted_activities.get_value();
        let have = self.activities.with_untracked(|kept| kept.get(&()).and_then(Fetched::here).cloned());
        let have = have.filter(|have| have.filter == filter).map(|have| (*have).clone());
        let answer = listed(have.unwrap_or(Activities { filter, ..Activities::default() }), wanted).await;
        self.keep(self.activities, (), Key::Activity, answer)
    }
}

async fn listed(mut list: Activities, wanted: usize) -> api::Result<Activities> {
    list.take_newest(api::activity::list(&list.filter, None).await?);
    while list.rows.len() < wanted
        && let Some(cursor) = list.next.clone()
    {
        list.take_older(api::activity::list(&list.filter, Some(&cursor)).await?);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn page(ids: &[i64], next: Option<&str>) -> Page<Activity> {
        let items = ids.iter().map(|id| samples::activity(*id)).collect();
        Page { items, next_cursor: next.map(ToOwned::to_owned) }
    }

    fn shown(list: &Activities) -> (Vec<i64>, Option<&str>) {
        (list.rows.iter().map(|row| row.id.0).collect(), list.next.as_deref())
    }

    #[test]
    fn new_entries_come_before_those_that_are_here() {
        let mut list = Activities::default();
        list.take_newest(page(&[5, 4], Some("after 4")));
        list.take_older(page(&[3, 2], Some("after 2")));
        list.take_newest(page(&[7, 6], Some("after 6")));
        assert_eq!(shown(&list), (vec![7, 6], Some("after 6")), "what is between them is not known");
        list.take_newest(page(&[8, 7], Some("after 7")));
        assert_eq!(shown(&list), (vec![8, 7, 6], Some("after 6")));
        list.take_newest(page(&[8, 7], Some("after 7")));
        assert_eq!(shown(&list), (vec![8, 7, 6], Some("after 6")), "nothing is new");
        list.take_older(page(&[5], None));
        assert_eq!((shown(&list), list.has_more()), ((vec![8, 7, 6, 5], None), false));
        list.take_newest(page(&[], None));
        assert_eq!(shown(&list), (vec![], None), "all were removed");
    }
}
