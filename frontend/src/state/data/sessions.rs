//! The signed-in user's sessions.

use leptos::prelude::*;
use shared_types::user::Session;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The signed-in user's sessions, fetched while the calling view is shown. Polled: their changes send no event.
    pub fn sessions(self) -> Memo<Fetched<Vec<Session>>> {
        self.poll(Key::Sessions);
        self.show(self.sessions, (), Key::Sessions, move || self.fetch_sessions())
    }

    async fn fetch_sessions(self) -> api::Result<()> {
        self.keep(self.sessions, (), Key::Sessions, api::account::sessions().await)
    }
}
