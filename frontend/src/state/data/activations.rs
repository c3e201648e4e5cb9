//! The activations of an instance.

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::app_server::Activation;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The activations of an instance, newest first, kept up to date while the calling view is shown.
    pub fn activations(self, id: InstanceId) -> Memo<Fetched<Vec<Activation>>> {
        self.show(self.activations, id, Key::Activations(id), move || self.fetch_activations(id))
    }

    async fn fetch_activations(self, id: InstanceId) -> api::Result<()> {
        let answer = api::instances::activations(id).await.map(|page| page.items);
        self.keep(self.activations, id, Key::Activations(id), answer)
    }
}
