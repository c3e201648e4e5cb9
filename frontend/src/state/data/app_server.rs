//! Single app servers.

use leptos::prelude::*;
use shared_types::{AppServer, AppServerId, InstanceId};

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// One app server, fetched anew and kept up to date while the calling view is shown.
    pub fn app_server(self, id: AppServerId) -> Memo<Fetched<AppServer>> {
        self.show(self.app_servers, id, Key::AppServer(id), move || self.fetch_app_server(id))
    }

    /// The shown app servers of an instance.
    pub fn shown_app_servers(self, of: InstanceId) -> Vec<AppServerId> {
        let is_of = |fetched: &Fetched<AppServer>| fetched.here().is_some_and(|one| one.summary.instance_id == of);
        self.app_servers
            .with_untracked(|kept| kept.iter().filter(|(_, fetched)| is_of(fetched)).map(|(id, _)| *id).collect())
    }

    async fn fetch_app_server(self, id: AppServerId) -> api::Result<()> {
        self.keep(self.app_servers, id, Key::AppServer(id), api::app_servers::read(id).await)
    }
}
