//! What is configured, and whether it responds.

use leptos::prelude::*;
use shared_types::system::SystemState;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The state of the system, fetched while the calling view is shown. The caller decides how often it is polled.
    pub fn system(self) -> Memo<Fetched<SystemState>> {
        self.show(self.system, (), Key::System, move || self.fetch_system())
    }

    async fn fetch_system(self) -> api::Result<()> {
        self.keep(self.system, (), Key::System, api::system::read().await)
    }
}
