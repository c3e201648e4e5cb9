//! The certificates of the instances' host names.

use leptos::prelude::*;
use shared_types::InstanceId;
use shared_types::certificate::InstanceCertificate;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The certificate of an instance, fetched while the calling view is shown.
    pub fn certificate(self, id: InstanceId) -> Memo<Fetched<InstanceCertificate>> {
        self.show(self.certificates, id, Key::Certificate(id), move || self.fetch_certificate(id))
    }

    async fn fetch_certificate(self, id: InstanceId) -> api::Result<()> {
        self.keep(self.certificates, id, Key::Certificate(id), api::certificates::of(id).await)
    }
}
