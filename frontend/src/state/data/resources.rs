//! What an instance has outside its machines.

use std::time::Duration;

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::resource::InstanceResources;

use super::{Data, Fetched, Key};
use crate::api;

/// The poll interval: sizes, and the outcome of what a sweep does, send no event.
const EVERY: Duration = Duration::from_secs(15);

impl Data {
    /// The resources of an instance, fetched while the calling view is shown.
    pub fn resources(self, id: InstanceId) -> Memo<Fetched<InstanceResources>> {
        self.poll_every(Key::Resources(id), EVERY);
        self.show(self.resources, id, Key::Resources(id), move || self.fetch_resources(id))
    }

    async fn fetch_resources(self, id: InstanceId) -> api::Result<()> {
        self.keep(self.resources, id, Key::Resources(id), api::resources::of(id).await)
    }
}
