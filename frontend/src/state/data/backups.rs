//! The backups of what an instance has outside its machines.

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::backup::InstanceBackups;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The backups of an instance, fetched while the calling view is shown. Polled, too: how far one has come sends no event.
    pub fn backups(self, id: InstanceId) -> Memo<Fetched<InstanceBackups>> {
        self.poll(Key::Backups(id));
        self.show(self.backups, id, Key::Backups(id), move || self.fetch_backups(id))
    }

    async fn fetch_backups(self, id: InstanceId) -> api::Result<()> {
        self.keep(self.backups, id, Key::Backups(id), api::backups::of(id).await)
    }
}
