//! Single instances.

use std::sync::Arc;

use leptos::prelude::*;
use shared_types::{Instance, InstanceId};

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// One instance, fetched anew and kept up to date while the calling view is shown.
    pub fn instance(self, id: InstanceId) -> Memo<Fetched<Instance>> {
        self.show(self.instances, id, Key::Instance(id), move || self.fetch_instance(id))
    }

    /// Stores an instance from the response to a change.
    pub fn take_instance(self, instance: Instance) {
        let id = instance.summary.id;
        self.put_rows(&[id], vec![instance.summary.clone()]);
        if self.is_shown(Key::Instance(id)) {
            self.instances.update(|kept| {
                kept.insert(id, Fetched::Here(Arc::new(instance)));
            });
        }
    }

    async fn fetch_instance(self, id: InstanceId) -> api::Result<()> {
        let answer = api::instances::read(id).await;
        if let Ok(instance) = &answer {
            self.put_rows(&[id], vec![instance.summary.clone()]);
        }
        self.keep(self.instances, id, Key::Instance(id), answer)
    }
}
