//! Machines that differ between provider and database.

use leptos::prelude::*;
use shared_types::retention::Orphans;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The last comparison of provider and database, fetched while the calling view is shown. Polled: comparisons send no event.
    pub fn orphans(self) -> Memo<Fetched<Orphans>> {
        self.poll(Key::Orphans);
        self.show(self.orphans, (), Key::Orphans, move || self.fetch_orphans())
    }

    async fn fetch_orphans(self) -> api::Result<()> {
        self.keep(self.orphans, (), Key::Orphans, api::machines::orphans().await)
    }
}
