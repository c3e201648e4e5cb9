//! App servers that are no longer needed.

use leptos::prelude::*;
use shared_types::retention::Expiring;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The app servers that are no longer needed, kept up to date while the calling view is shown.
    pub fn expiring(self) -> Memo<Fetched<Vec<Expiring>>> {
        self.show(self.expiring, (), Key::Expiring, move || self.fetch_expiring())
    }

    async fn fetch_expiring(self) -> api::Result<()> {
        self.keep(self.expiring, (), Key::Expiring, api::machines::expiring().await)
    }
}
