//! What the views show: each thing is kept as long as a view shows it.
//!
//! The view that shows a thing also brings the code that fetches it. So the code for things of one screen is in that
//! screen's part, and not in what the browser downloads first.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use leptos::prelude::*;

use super::fetched::is_waiting;
use super::{Data, Fetched, Key};
use crate::api;

/// Things of one kind, by their ids; things that exist once have the id `()`.
pub(super) type Kept<K, T> = RwSignal<HashMap<K, Fetched<T>>>;

/// Fetches a thing once.
type Fetch = Arc<dyn Fn() -> LocalBoxFuture<'static, api::Result<()>> + Send + Sync>;

/// A thing that is shown.
pub(super) struct Shown {
    /// The number of views that show it.
    views: u32,
    pub(super) fetch: Fetch,
}

/// The poll interval, while shown, for data whose changes send no event.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

impl Data {
    /// Registers the calling view as one that shows `key`, and fetches it by `fetch`, now and whenever it may have
    /// changed.
    pub(super) fn show<K, T, F>(
        self,
        kept: Kept<K, T>,
        id: K,
        key: Key,
        fetch: impl Fn() -> F + Send + Sync + 'static,
    ) -> Memo<Fetched<T>>
    where
        K: Copy + Eq + Hash + Send + Sync + 'static,
        T: PartialEq + Send + Sync + 'static,
        F: Future<Output = api::Result<()>> + 'static,
    {
        self.shown.update_value(|shown| {
            let new = || Shown { views: 0, fetch: Arc::new(move || fetch().boxed_local()) };
            shown.entry(key).or_insert_with(new).views += 1;
        });
        on_cleanup(move || self.hide(kept, id, key));
        self.refresh(key);
        Memo::new(move |_| kept.with(|kept| kept.get(&id).cloned().unwrap_or(Fetched::Waiting)))
    }

    /// Polls `key` while the calling view is shown, for changes that send no event.
    pub fn poll_every(self, key: Key, pause: Duration) {
        if let Ok(timer) = set_interval_with_handle(move || self.refresh(key), pause) {
            on_cleanup(move || timer.clear());
        }
    }

    pub(super) fn poll(self, key: Key) {
        self.poll_every(key, POLL_INTERVAL);
    }

    /// Forgets a thing when the last view that showed it is gone.
    fn hide<K, T>(self, kept: Kept<K, T>, id: K, key: Key)
    where
        K: Eq + Hash + Send + Sync + 'static,
        T: Send + Sync + 'static,
    {
        let is_last = self.shown.try_update_value(|shown| {
            let is_last = shown.get_mut(&key).is_none_or(|one| {
                one.views = one.views.saturating_sub(1);
                one.views == 0
            });
            if is_last {
                shown.remove(&key);
            }
            is_last
        });
        if is_last == Some(true) {
            kept.try_update_untracked(|kept| kept.remove(&id));
        }
    }

    pub(super) fn is_shown(self, key: Key) -> bool {
        self.shown.with_value(|shown| shown.contains_key(&key))
    }

    /// Stores the response about a thing.
    pub(super) fn keep<K, T>(self, kept: Kept<K, T>, id: K, key: Key, answer: api::Result<T>) -> api::Result<()>
    where
        K: Copy + Eq + Hash + Send + Sync + 'static,
        T: PartialEq + Send + Sync + 'static,
    {
        // Not kept if no view shows it: events may be about anything.
        if !self.is_shown(key) {
            return answer.map(drop);
        }
        let put = move |fetched| {
            kept.update(|kept| {
                kept.insert(id, fetched);
            });
        };
        let is_waiting = move || kept.with_untracked(|kept| kept.get(&id).is_none_or(is_waiting));
        self.settle(answer, put, is_waiting)
    }

    /// Stores a response. An error does not replace fetched data unless the thing no longer exists.
    fn settle<T>(
        self,
        answer: api::Result<T>,
        put: impl FnOnce(Fetched<T>),
        is_waiting: impl FnOnce() -> bool,
    ) -> api::Result<()> {
        match answer {
            Ok(value) => put(Fetched::Here(Arc::new(value))),
            Err(error) => {
                let is_gone = error.is(shared_types::ProblemType::NotFound);
                if !self.session.ends_by(&error) && (is_gone || is_waiting()) {
                    put(Fetched::Failed(error.clone()));
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
