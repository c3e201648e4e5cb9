//! Server-sent events: streams that tell what happens, resume where they broke off, and end with the program or the reader's
//! right to read.

use std::collections::VecDeque;
use std::time::Duration;

use actix_sse::{Data, Event as Message, Sse};
use actix_web::{HttpRequest, Responder};
use futures::Stream;
use serde::Deserialize;
use shared_types::{Event, EventId, LogEntry};

use super::error::ApiError;
use super::log_view::place;
use super::reader::{Heard, Reader};
use crate::app::App;
use crate::platform::users::Principal;
use crate::platform::{events, logs};

/// An empty comment so often keeps proxies from closing the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many missed events are told again; who missed more reads the tables.
const MAX_REPLAY: i64 = 1000;

/// How many entries of a log are read at once.
const PAGE: i64 = 500;
/// How long a log's reader waits before the database is asked again.
const RETRY: Duration = Duration::from_millis(500);

/// Where a log's stream begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogStreamQuery {
    /// After this `seq` (`id` in an instance's log); 0 or left out: from the beginning.
    pub after: Option<i64>,
}

/// Where the reader was: what its browser remembers wins over what the address says.
pub fn resume(request: &HttpRequest, after: Option<i64>) -> i64 {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    header.and_then(|id| id.parse().ok()).or(after).unwrap_or(0)
}

/// Everything that changes.
///
/// # Errors
/// When too many streams are open, or the events that were missed cannot be read.
pub async fn changes(app: &App, who: Principal, last: Option<i64>) -> Result<impl Responder + use<>, ApiError> {
    // First listen, then read: what happens in between comes twice rather than never.
    let reader = Reader::open(app.clone(), who)?;
    let missed = match last {
        Some(last) => events::after(&mut *app.db().conn().await?, EventId(last), MAX_REPLAY).await?,
        None => Vec::new(),
    };
    let state = Changes { reader, waiting: missed.into_iter().collect() };
    let stream = futures::stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) });
    Ok(Sse::from_infallible_stream(Box::pin(stream))
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(Duration::from_secs(1)))
}

struct Changes {
    reader: Reader,
    waiting: VecDeque<Event>,
}

impl Changes {
    async fn next(&mut self) -> Option<Message> {
        if let Some(event) = self.waiting.pop_front() {
            return Some(message(&event));
        }
        match self.reader.next().await? {
            Heard::Event(event) => Some(message(&event)),
            // The reader is told to read everything again.
            Heard::Gap => Some(Data::new("{}").event("gap").into()),
        }
    }
}

fn message(event: &Event) -> Message {
    let data = Data::new(serde_json::to_string(event).unwrap_or_default()).event(event.kind.as_str());
    match event.id {
        Some(id) => data.id(id.to_string()).into(),
        None => data.into(),
    }
}

/// A log's entries after one, for ever.
///
/// # Errors
/// When too many streams are open.
pub fn log(app: &App, who: Principal, about: logs::About, after: i64) -> Result<impl Responder + use<>, ApiError> {
    let state = Follower {
        reader: Reader::open(app.clone(), who)?,
        waiting: VecDeque::new(),
        after,
        is_at_end: false,
        about,
        app: app.clone(),
    };
    Ok(Sse::from_infallible_stream(Box::pin(entries(state)))
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(Duration::from_secs(1)))
}

fn entries(state: Follower) -> impl Stream<Item = Message> {
    futures::stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) })
}

struct Follower {
    reader: Reader,
    waiting: VecDeque<LogEntry>,
    after: i64,
    /// Nothing is known of entries beyond `after` until the log is told to have grown.
    is_at_end: bool,
    about: logs::About,
    app: App,
}

impl Follower {
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(entry) = self.waiting.pop_front() {
                self.after = place(&entry);
                let data = Data::new(serde_json::to_string(&entry).unwrap_or_default());
                return Some(data.id(self.after.to_string()).event("entry").into());
            }
            self.wait().await?;
            self.fetch().await?;
        }
    }

    /// Reads the next entries. A database that does not answer is asked again in a moment.
    async fn fetch(&mut self) -> Option<()> {
        let query = logs::Query { after: Some(self.after), limit: PAGE, ..Default::default() };
        let read = async { logs::page(&mut *self.app.db().conn().await?, self.about, &query).await };
        match read.await {
            Ok(entries) => {
                self.is_at_end = i64::try_from(entries.len()).is_ok_and(|count| count < PAGE);
                self.waiting = entries.into();
                Some(())
            }
            Err(error) => {
                tracing::warn!(%error, "a log could not be read for its reader");
                self.app.stop.run_until_cancelled(tokio::time::sleep(RETRY)).await
            }
        }
    }

    /// Waits until the log has grown beyond what was read, if all that was known of has been read. However much was told
    /// meanwhile, one look follows.
    async fn wait(&mut self) -> Option<()> {
        loop {
            let heard = match self.reader.try_next().await? {
                Some(heard) => heard,
                None if !self.is_at_end => return Some(()),
                None => self.reader.next().await?,
            };
            let has_grown = match heard {
                Heard::Event(event) => {
                    self.about.is_told_by(&event) && event.last_seq.is_none_or(|last| last > self.after)
                }
                Heard::Gap => true,
            };
            self.is_at_end &= !has_grown;
        }
    }
}
