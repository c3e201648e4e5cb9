//! The build queue.

use leptos::prelude::*;
use shared_types::queue::Queue;

use super::{Data, Fetched, Key};
use crate::api;

impl Data {
    /// The build queue, fetched while the calling view is shown. Polled: heartbeats of workers send no event.
    pub fn queue(self) -> Memo<Fetched<Queue>> {
        self.poll(Key::Queue);
        self.show(self.queue, (), Key::Queue, move || self.fetch_queue())
    }

    async fn fetch_queue(self) -> api::Result<()> {
        self.keep(self.queue, (), Key::Queue, api::queue::read().await)
    }
}
