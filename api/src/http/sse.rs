//! Server-sent events: streams of changes and log entries, which resume after a lost connection and end with the
//! program or the user's permission.

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
use crate::platform::events::{self, Missed};
use crate::platform::logs;
use crate::platform::users::Principal;

/// The interval of empty comments, which keep proxies from closing the stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The most missed events that are replayed; after more, the client must read the state again.
const MAX_REPLAY: i64 = 1000;

/// How many log entries one query reads.
const PAGE: i64 = 500;
/// The delay before a log is read again after a database error.
const RETRY: Duration = Duration::from_millis(500);

/// Where a log's stream begins.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogStreamQuery {
    /// Only entries after this `seq` (`id` in an instance's log); 0 or left out: from the beginning.
    pub after: Option<i64>,
}

/// Where to resume: `Last-Event-ID`, which browsers send on reconnect, wins over the query.
pub fn resume(request: &HttpRequest, after: Option<i64>) -> i64 {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    header.and_then(|id| id.parse().ok()).or(after).unwrap_or(0)
}

/// The stream of all changes.
///
/// # Errors
/// `TooManyRequests` if too many streams are open; an error of the database while missed events are read.
pub async fn changes(app: &App, who: Principal, last: Option<i64>) -> Result<impl Responder + use<>, ApiError> {
    // Subscribe before reading: an event in between is then sent twice instead of lost.
    let reader = Reader::open(app.clone(), who)?;
    let waiting = match last {
        None => VecDeque::new(),
        Some(last) => match events::missed(&mut *app.db().conn().await?, EventId(last), MAX_REPLAY).await? {
            Missed::Events(missed) => missed.iter().map(message).collect(),
            Missed::TooMany(newest) => VecDeque::from([gap(newest)]),
        },
    };
    let state = Changes { reader, waiting };
    let stream = futures::stream::unfold(state, |mut state| async move { Some((state.next().await?, state)) });
    Ok(Sse::from_infallible_stream(Box::pin(stream))
        .with_keep_alive(KEEP_ALIVE)
        .with_retry_duration(Duration::from_secs(1)))
}

struct Changes {
    reader: Reader,
    waiting: VecDeque<Message>,
}

impl Changes {
    async fn next(&mut self) -> Option<Message> {
        if let Some(message) = self.waiting.pop_front() {
            return Some(message);
        }
        match self.reader.next().await? {
            Heard::Event(event) => Some(message(&event)),
            Heard::Gap => Some(gap(None)),
        }
    }
}

/// Tells the client to read the whole state again. It resumes after `newest`, or after the last event it received.
fn gap(newest: Option<EventId>) -> Message {
    let data = Data::new("{}").event("gap");
    match newest {
        Some(id) => data.id(id.to_string()).into(),
        None => data.into(),
    }
}

fn message(event: &Event) -> Message {
    let data = Data::new(serde_json::to_string(event).unwrap_or_default()).event(event.kind.as_str());
    match event.id {
        Some(id) => data.id(id.to_string()).into(),
        None => data.into(),
    }
}

/// The stream of a log's entries after `after`, without an end.
///
/// # Errors
/// `TooManyRequests` if too many streams are open.
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
    /// Whether all entries were read; an event that the log has grown clears it.
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

    /// Reads the next entries. After a database error, waits for [`RETRY`]; the caller's loop tries again.
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

    /// Waits until there may be entries after `after`. Consumes all waiting events first, so that many events cause
    /// only one read.
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
