//! Who may log in to the machine of an app server.

use std::time::Duration;

use leptos::prelude::*;
use shared_types::AppServerId;
use shared_types::ssh_access::AppServerAccess;

use super::{Data, Fetched, Key};
use crate::api;

/// The poll interval: attempts that fail again send no event.
const EVERY: Duration = Duration::from_secs(15);

impl Data {
    /// The access to an app server's machine, fetched while the calling view is shown.
    pub fn access(self, id: AppServerId) -> Memo<Fetched<AppServerAccess>> {
        self.poll_every(Key::Access(id), EVERY);
        self.show(self.access, id, Key::Access(id), move || self.fetch_access(id))
    }

    async fn fetch_access(self, id: AppServerId) -> api::Result<()> {
        self.keep(self.access, id, Key::Access(id), api::app_servers::access(id).await)
    }
}
