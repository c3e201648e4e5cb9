//! The event stream: changes as they happen.
//!
//! The browser reconnects by itself while the server is unreachable. It gives up when a response is not a stream (a
//! 401, a proxy's 502): then [`Events::next`] returns `None` and the caller decides.

use std::fmt;

use futures::StreamExt;
use futures::stream::{SelectAll, select_all};
use gloo_net::eventsource::futures::{EventSource, EventSourceSubscription};
use shared_types::{Event, EventKind};

use super::request::url;
use super::{ApiError, Result};

const OPENED: &str = "open";
const LOST: &str = "error";
const GAP: &str = "gap";

/// What the stream delivers.
#[derive(Debug)]
pub enum Signal {
    /// Connected or reconnected. Earlier events may have been missed.
    Opened,
    /// The connection is lost; the browser retries.
    Lost,
    /// The server itself may have missed events.
    Gap,
    Changed(Event),
}

/// An open stream. Dropping it closes the connection.
pub struct Events {
    source: EventSource,
    all: SelectAll<EventSourceSubscription>,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Events {
    /// Opens the stream of events.
    ///
    /// # Errors
    /// [`ApiError::Unreachable`] if the browser cannot create the `EventSource` or subscribe to it.
    pub fn open() -> Result<Self> {
        let mut source = EventSource::new(&url("/events")).map_err(|_| ApiError::Unreachable)?;
        let names = EventKind::ALL.iter().map(|kind| kind.as_str()).chain([OPENED, LOST, GAP]);
        let subscriptions = names.map(|name| source.subscribe(name)).collect::<std::result::Result<Vec<_>, _>>();
        Ok(Self { all: select_all(subscriptions.map_err(|_| ApiError::Unreachable)?), source })
    }

    /// The next signal; `None` once the browser has given up.
    pub async fn next(&mut self) -> Option<Signal> {
        loop {
            match self.all.next().await? {
                Ok((name, _)) if name == OPENED => return Some(Signal::Opened),
                Ok((name, _)) if name == LOST => return Some(Signal::Lost),
                Ok((name, _)) if name == GAP => return Some(Signal::Gap),
                Ok((_, message)) => {
                    let event = message.data().as_string().and_then(|text| serde_json::from_str(&text).ok());
                    // An event of an unknown kind (from a newer server) changes nothing that this version shows.
                    if let Some(event) = event {
                        return Some(Signal::Changed(event));
                    }
                }
                Err(_) => return None,
            }
        }
    }
}
