//! The credentials of private repositories.

use leptos::prelude::*;
use shared_types::source_credential::SourceCredential;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The credentials, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn source_credentials(self) -> Memo<Fetched<Vec<SourceCredential>>> {
        self.poll(Key::SourceCredentials);
        self.show(self.source_credentials, (), Key::SourceCredentials, move || self.fetch_source_credentials())
    }

    async fn fetch_source_credentials(self) -> api::Result<()> {
        self.keep(self.source_credentials, (), Key::SourceCredentials, api::source_credentials::all().await)
    }
}
