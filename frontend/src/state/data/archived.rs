//! The list of archived instances.

use leptos::prelude::*;

use super::instance_list::all;
use super::{Data, Fetched, Key, Rows};
use crate::api;

impl Data {
    /// The archived instances, kept up to date while the calling view is shown.
    pub fn archived(self) -> Memo<Fetched<Rows>> {
        self.show(self.archived, (), Key::Archived, move || self.fetch_archived())
    }

    async fn fetch_archived(self) -> api::Result<()> {
        self.keep(self.archived, (), Key::Archived, all(true, |_| ()).await)
    }
}
