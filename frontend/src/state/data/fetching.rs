//! When things are fetched: on demand, after events, and again after a failure.
//!
//! Each thing is fetched by one task at a time, so that an older response never overwrites a newer one.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Data, Key};
use crate::api::{self, ApiError};

/// The delay before a retry when the server does not respond.
const RETRY_MS: u32 = 1_000;

impl Data {
    /// Fetches `key` now. Skipped if no view shows it; the list of instances is always shown.
    pub fn refresh(self, key: Key) {
        self.fetch_after(key, 0);
    }

    /// Fetches `key` after a short delay, so that a burst of events causes one fetch.
    pub fn refresh_soon(self, key: Key) {
        // Most events are about things that are not shown: do not even start a timer for them.
        if self.is_wanted(key) {
            self.fetch_after(key, key.moment_ms());
        }
    }

    /// Fetches everything that is shown, after events may have been missed.
    pub fn refresh_all(self) {
        self.refresh(Key::List);
        let shown: Vec<Key> = self.shown.with_value(|shown| shown.keys().copied().collect());
        for key in shown {
            self.refresh(key);
        }
    }

    fn is_wanted(self, key: Key) -> bool {
        key.is_always_shown() || self.is_shown(key)
    }

    fn fetch_after(self, key: Key, wait_ms: u32) {
        let starts = self.under_way.try_update_value(|under_way| under_way.wish(key)).unwrap_or(false);
        if starts {
            spawn_local(self.fetch_until_true(key, wait_ms));
        }
    }

    async fn fetch_until_true(self, key: Key, mut wait_ms: u32) {
        loop {
            if wait_ms > 0 {
                gloo_timers::future::TimeoutFuture::new(wait_ms).await;
            }
            self.under_way.update_value(|under_way| under_way.begin(&key));
            let retries = self.fetch(key).await == Err(ApiError::Unreachable) && self.session.is_open();
            wait_ms = if retries { RETRY_MS } else { key.moment_ms() };
            if retries {
                self.under_way.update_value(|under_way| {
                    under_way.wish(key);
                });
            }
            if !self.under_way.try_update_value(|under_way| under_way.end(&key)).unwrap_or(false) {
                return;
            }
        }
    }

    async fn fetch(self, key: Key) -> api::Result<()> {
        if key == Key::List {
            return self.fetch_list().await;
        }
        if key == Key::Rows {
            return self.fetch_rows().await;
        }
        match self.shown.with_value(|shown| shown.get(&key).map(|one| one.fetch.clone())) {
            Some(fetch) => fetch().await,
            None => Ok(()),
        }
    }
}
