//! Names of an instance in the DNS.

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::dns::InstanceDns;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The names of an instance in the DNS, fetched while the calling view is shown.
    pub fn dns(self, id: InstanceId) -> Memo<Fetched<InstanceDns>> {
        self.show(self.dns, id, Key::Dns(id), move || self.fetch_dns(id))
    }

    async fn fetch_dns(self, id: InstanceId) -> api::Result<()> {
        self.keep(self.dns, id, Key::Dns(id), api::dns::of(id).await)
    }
}
